#include "xds/rest_session.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "config/reader.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace sluice::xds {
namespace {

using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;

constexpr uint32_t kOk = 200;
constexpr uint32_t kNotModified = 304;

}  // namespace

RestSession::RestSession(ControlPlane& plane, const Interest& only)
    : Session(plane, &only), type_(only.type), next_(loop().timers(), [this] { poll(); }) {}

void RestSession::start() {
  started_ = true;
  if (users_of(type_) != nullptr) {
    poll();
  }
}

void RestSession::stop() {
  started_ = false;
  fetch_.reset();
  next_.cancel();
}

void RestSession::interest_changed(TypeUsers&, const InterestChange&, Cause cause) {
  // Other names are asked for with the next poll; the first user starts them.
  if (started_ && cause == Cause::kSubscribed && fetch_ == nullptr && !next_.armed()) {
    poll();
  }
}

void RestSession::poll() {
  const std::string_view path = names_of(type_).fetch_path;
  if (path.empty()) {
    return;
  }
  fetch_ = transport().fetch({std::string(path), request(), options().request_timeout}, *this);
}

void RestSession::wait() {
  fetch_.reset();
  const Duration delay = std::max(options().refresh_delay, Duration(std::chrono::milliseconds(1)));
  next_.arm(delay + Duration(static_cast<int64_t>(random().below(static_cast<uint64_t>(delay.count())))));
}

std::string RestSession::request() const {
  DiscoveryRequest request;
  request.set_version_info(version_);
  request.mutable_node()->ParseFromString(options().node);
  request.set_type_url(std::string(names_of(type_).type_url));
  for (const auto& [name, unused] : users_of(type_)->names()) {
    request.add_resource_names(name);
  }
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(request, &json, print).ok()) {
    request.clear_node();  // its metadata holds a number that JSON has not
    json.clear();
    static_cast<void>(google::protobuf::util::MessageToJsonString(request, &json, print).ok());
  }
  return json;
}

void RestSession::on_fetch_failed(std::string_view why) {
  wait();
  SLUICE_LOG(kWarning, kConfig, "REST update for ", names_of(type_).fetch_path, " failed: ", why);
  fail_all(why);
}

void RestSession::on_fetched(uint32_t status, std::string_view body) {
  // The fetch may own the bytes.
  const std::unique_ptr<AdsFetch> done = std::move(fetch_);
  wait();
  if (status == kOk) {
    read(body);
  } else if (status != kNotModified) {
    const std::string why = cat("the control plane answered with status ", status);
    SLUICE_LOG(kWarning, kConfig, "REST update for ", names_of(type_).fetch_path, " failed: ", why);
    fail_all(why);
  }
}

void RestSession::read(std::string_view body) {
  TypeUsers& users = *users_of(type_);
  DiscoveryResponse response;
  Arrival arrival;
  arrival.type = type_;
  {
    config::SourceMap map;
    config::Findings findings;
    const config::ReadOptions lenient{.unknown_fields = config::ReadOptions::UnknownFields::Note};
    if (!config::read_text(config::Format::Json, body, "response", response, map, findings, lenient)) {
      refuse(users, arrival, findings.errors().front().to_string());
      return;
    }
  }
  if (response.has_control_plane()) {
    numbers().identifier = response.control_plane().identifier();
  }
  arrival.version = response.version_info();
  arrival.control_plane = response.control_plane().identifier();
  if (const std::string problem = take_apart(response, arrival); !problem.empty()) {
    arrival.complete = false;  // as far as it was read
    refuse(users, arrival, problem);
    return;
  }
  for (ArrivedResource& arrived : arrival.resources) {
    arrived.heartbeat = !arrived.resource.has_body && users.find_held(arrived.resource.name) != nullptr;
  }
  if (hand_out(users, arrival).empty()) {
    version_ = response.version_info();
  }
}

}  // namespace sluice::xds
