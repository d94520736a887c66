#include "xds/sotw_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "base/varint.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "xds/nack.h"

namespace sluice::xds {
namespace {

using config::ResourceType;
using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;

constexpr uint32_t kNodeField = DiscoveryRequest::kNodeFieldNumber;
constexpr std::string_view kEverything = "*";

// A resource without a body, of what is held, at the version that is held.
std::string mark_heartbeats(const TypeUsers& users, std::string_view version, Arrival& arrival) {
  for (ArrivedResource& arrived : arrival.resources) {
    if (arrived.resource.has_body) {
      continue;
    }
    const TypeUsers::Held* const held = users.find_held(arrived.resource.name);
    if (held != nullptr && (arrival.version == version || arrived.own_version == held->version)) {
      arrived.heartbeat = true;
    } else if (users.wants(arrived.resource.name)) {
      return cat("resource '", arrived.resource.name, "' has no body, and is not held at this version");
    }
  }
  return {};
}

}  // namespace

SotwSession::SotwSession(ControlPlane& plane, const Interest* only)
    : Session(plane, only), link_(loop(), random(), transport(), options(), numbers(), path(), kNodeField, *this) {}

void SotwSession::stop() {
  link_.close();
  queue_.clear();
}

// ---- requests

void SotwSession::interest_changed(TypeUsers& users, const InterestChange& change, Cause cause) {
  if (!change.empty()) {
    state_of(users.type()).names.reset();
  }
  // A cluster that comes later has its endpoints sent again when it asks for what was asked for already.
  if (!change.empty() || (cause == Cause::kSubscribed && users.type() == ResourceType::kEndpoints)) {
    want_request(users.type());
  }
}

void SotwSession::want_request(ResourceType type) {
  if (!link_.is_open()) {
    return;  // the first request of the next stream says it
  }
  if (paused(type)) {
    state_of(type).wanted = true;
  } else if (std::find(queue_.begin(), queue_.end(), type) == queue_.end()) {
    push(type);
  }
}

// Every response that came while nothing held it back has its answer, although they are all the same when the rate
// limit let none through.
void SotwSession::want_answer(ResourceType type) {
  if (paused(type)) {
    state_of(type).wanted = true;
  } else if (link_.is_open()) {
    push(type);
  }
}

void SotwSession::resumed(ResourceType type) {
  if (std::exchange(state_of(type).wanted, false) && link_.is_open()) {
    push(type);
  }
}

void SotwSession::push(ResourceType type) {
  queue_.push_back(type);
  drain();
}

void SotwSession::drain() {
  while (!queue_.empty() && link_.may_send()) {
    const ResourceType type = queue_.front();
    queue_.pop_front();
    send(type);
  }
  numbers().pending_requests = queue_.size();
}

const std::string& SotwSession::names_in(ResourceType type) {
  const TypeUsers& users = *users_of(type);
  State& state = state_of(type);
  if (!state.names) {
    std::string& out = state.names.emplace();
    if (users.wildcard() && (state.named || !users.names().empty())) {
      append_field(out, DiscoveryRequest::kResourceNamesFieldNumber, kEverything);
    }
    for (const auto& [name, unused] : users.names()) {
      append_field(out, DiscoveryRequest::kResourceNamesFieldNumber, name);
    }
  }
  return *state.names;
}

void SotwSession::send(ResourceType type) {
  State& state = state_of(type);
  DiscoveryRequest request;
  request.set_type_url(std::string(names_of(type).type_url));
  request.set_version_info(state.version);
  request.set_response_nonce(state.nonce);
  if (!state.error.empty()) {
    request.mutable_error_detail()->set_code(kNackCode);
    request.mutable_error_detail()->set_message(std::exchange(state.error, {}));
  }
  const std::string& names = names_in(type);
  state.named = state.named || !names.empty();
  link_.send(cat(request.SerializeAsString(), names));
  for (const Unanswered& waiting : std::exchange(state.unanswered, {})) {
    note_answer(waiting);
  }
}

// ---- the stream

void SotwSession::on_open() {
  queue_.clear();
  for (const ResourceType type : order()) {
    State& state = state_of(type);
    state = State{.version = std::move(state.version)};
    queue_.push_back(type);
  }
  drain();
}

void SotwSession::on_lost(std::string_view why) {
  queue_.clear();
  numbers().pending_requests = 0;
  fail_all(why);
}

bool SotwSession::on_response(std::string_view message) {
  DiscoveryResponse response;
  if (message.size() > INT32_MAX || !response.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return false;
  }
  const auto type = type_of(response.type_url());
  TypeUsers* const users = type ? users_of(*type) : nullptr;
  if (users == nullptr) {
    SLUICE_LOG(kWarning, kConfig, "ignoring a discovery response of type '", response.type_url(),
               "': nobody asked for it");
    return true;
  }
  if (response.has_control_plane()) {
    numbers().identifier = response.control_plane().identifier();
  }
  State& state = state_of(*type);
  if (users->empty()) {
    state.nonce = response.nonce();
    if (response.resources().empty()) {
      state.version = response.version_info();
    } else {
      want_request(*type);  // the old version, so that these count as not taken
    }
    return true;
  }
  Arrival arrival;
  arrival.type = *type;
  arrival.version = response.version_info();
  arrival.control_plane = response.control_plane().identifier();
  const Hold hold(*this, *type);
  std::string refused = take_apart(response, arrival);
  if (refused.empty()) {
    refused = mark_heartbeats(*users, state.version, arrival);
  }
  if (!refused.empty()) {
    arrival.complete = false;  // as far as it was read
    refuse(*users, arrival, refused);
  } else {
    refused = hand_out(*users, arrival);
  }
  if (refused.empty()) {
    state.version = response.version_info();
  }
  state.error = nack_text(refused);
  state.nonce = response.nonce();
  state.unanswered.push_back(last_push());
  want_answer(*type);
  return true;
}

}  // namespace sluice::xds
