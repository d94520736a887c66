#include "xds/delta_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "xds/nack.h"

namespace sluice::xds {
namespace {

using config::ResourceType;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

constexpr uint32_t kNodeField = DeltaDiscoveryRequest::kNodeFieldNumber;
constexpr std::string_view kEverything = "*";

// A virtual host without a body is one that does not exist, when it says under which aliases.
std::string mark_heartbeats(const TypeUsers& users, Arrival& arrival) {
  for (ArrivedResource& arrived : arrival.resources) {
    if (arrived.resource.has_body) {
      continue;
    }
    const TypeUsers::Held* const held = users.find_held(arrived.resource.name);
    if (users.type() != ResourceType::kVirtualHost && held != nullptr && held->version == arrived.own_version) {
      arrived.heartbeat = true;
    } else if (arrived.resource.aliases.empty()) {
      return cat("resource '", arrived.resource.name, "' has no body, and is not held at version '",
                 arrived.own_version, "'");
    }
  }
  return {};
}

}  // namespace

DeltaSession::DeltaSession(ControlPlane& plane, const Interest* only)
    : Session(plane, only), link_(loop(), random(), transport(), options(), numbers(), path(), kNodeField, *this) {}

void DeltaSession::stop() {
  link_.close();
  answers_.clear();
}

// ---- requests

void DeltaSession::interest_changed(TypeUsers& users, const InterestChange& change, Cause) {
  State& state = states_[index_of(users.type())];
  if (!state.asked) {
    drain();
    return;  // the first request says all
  }
  const auto add = [&](const std::string& name) {
    state.unsubscribe.erase(name);
    state.subscribe.insert(name);
  };
  // What is given up and wanted again before a request could say so must be sent anew: add() forgets the first, not the
  // second. What is wanted and given up is told all the same, which does no harm.
  const auto drop = [&](const std::string& name) {
    state.subscribe.erase(name);
    state.unsubscribe.insert(name);
  };
  if (change.wildcard && users.wildcard()) {
    add(std::string(kEverything));
  } else if (change.wildcard && users.type() != ResourceType::kVirtualHost) {
    // The first request for hosts names nothing, and means nothing by it.
    drop(std::string(kEverything));
  }
  std::for_each(change.added.begin(), change.added.end(), add);
  std::for_each(change.removed.begin(), change.removed.end(), drop);
  drain();
}

bool DeltaSession::has_change(ResourceType type) const {
  const State& state = states_[index_of(type)];
  const TypeUsers& users = *users_of(type);
  return state.asked ? !state.subscribe.empty() || !state.unsubscribe.empty()
                     : users.wildcard() || !users.names().empty();
}

std::optional<ResourceType> DeltaSession::next_change() const {
  for (const ResourceType type : order()) {
    if (has_change(type) && !paused(type)) {
      return type;
    }
  }
  return std::nullopt;
}

// Answers first, in their order; then changes, in the order of the types.
void DeltaSession::drain() {
  while (link_.is_open()) {
    const auto answer =
        std::find_if(answers_.begin(), answers_.end(), [this](const Answer& each) { return !paused(each.type); });
    const auto change = answer == answers_.end() ? next_change() : std::nullopt;
    if ((answer == answers_.end() && !change) || !link_.may_send()) {
      break;
    }
    if (answer != answers_.end()) {
      send(*answer);
      answers_.erase(answer);
    } else {
      send_change(*change);
    }
  }
  numbers().pending_requests = answers_.size();
}

void DeltaSession::send(const Answer& answer) {
  DeltaDiscoveryRequest request;
  request.set_type_url(std::string(names_of(answer.type).type_url));
  request.set_response_nonce(answer.nonce);
  if (!answer.error.empty()) {
    request.mutable_error_detail()->set_code(kNackCode);
    request.mutable_error_detail()->set_message(answer.error);
  }
  link_.send(request.SerializeAsString());
  note_answer(answer.waiting);
}

void DeltaSession::send_change(ResourceType type) {
  State& state = states_[index_of(type)];
  const TypeUsers& users = *users_of(type);
  DeltaDiscoveryRequest request;
  request.set_type_url(std::string(names_of(type).type_url));
  if (!state.asked) {
    state.asked = true;
    // Nothing at all means everything, which every server knows; "*" beside names is newer.
    if (users.wildcard() && !users.names().empty()) {
      request.add_resource_names_subscribe(std::string(kEverything));
    }
    for (const auto& [name, unused] : users.names()) {
      request.add_resource_names_subscribe(name);
    }
    for (const auto& [name, held] : users.held()) {
      (*request.mutable_initial_resource_versions())[name] = held.version;
    }
    // No version is like none of the server's: it sends what there is of the name, or that there is none.
    for (const std::string& name : users.doubted()) {
      (*request.mutable_initial_resource_versions())[name].clear();
    }
  } else {
    for (const std::string& name : state.subscribe) {
      request.add_resource_names_subscribe(name);
    }
    for (const std::string& name : state.unsubscribe) {
      request.add_resource_names_unsubscribe(name);
    }
  }
  state.subscribe.clear();
  state.unsubscribe.clear();
  link_.send(request.SerializeAsString());
}

// ---- the stream

void DeltaSession::on_open() {
  answers_.clear();
  states_ = {};
  // These do not wait for resume(): whoever holds a type back waits for what only a new answer can bring.
  for (const ResourceType type : order()) {
    if (has_change(type) && paused(type) && link_.may_send()) {
      send_change(type);
    }
  }
  drain();
}

void DeltaSession::on_lost(std::string_view why) {
  answers_.clear();
  numbers().pending_requests = 0;
  fail_all(why);
}

bool DeltaSession::on_response(std::string_view message) {
  DeltaDiscoveryResponse response;
  if (message.size() > INT32_MAX || !response.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return false;
  }
  const auto type = type_of(response.type_url());
  TypeUsers* const users = type ? users_of(*type) : nullptr;
  // Not on this stream either: an answer would be the first request of the type, and ask for everything.
  if (users == nullptr || !states_[index_of(*type)].asked) {
    SLUICE_LOG(kWarning, kConfig, "ignoring a discovery response of type '", response.type_url(),
               "': nobody asked for it");
    return true;
  }
  if (response.has_control_plane()) {
    numbers().identifier = response.control_plane().identifier();
  }
  Arrival arrival;
  arrival.type = *type;
  arrival.version = response.system_version_info();
  arrival.control_plane = response.control_plane().identifier();
  std::string refused = take_apart(response, arrival);
  if (refused.empty()) {
    refused = mark_heartbeats(*users, arrival);
  }
  if (!refused.empty()) {
    refuse(*users, arrival, refused);
  } else {
    refused = hand_out(*users, arrival);
  }
  answers_.push_back({*type, response.nonce(), nack_text(refused), last_push()});
  drain();
  return true;
}

}  // namespace sluice::xds
