#include "tools/control_plane/wire.h"

#include "base/strings.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace sluice::control_plane {
namespace {

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;
using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;

constexpr const char* kIdentifier = "sluice control_plane";

template <typename Message>
bool parse(std::string_view bytes, Message& message) {
  return bytes.size() <= INT32_MAX && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <typename Message>
Request common(const Message& message) {
  Request request;
  if (message.has_node()) {
    request.node = {message.node().id(), message.node().cluster(), message.node().user_agent_name()};
  }
  request.type_url = message.type_url();
  request.nonce = message.response_nonce();
  if (message.has_error_detail()) {
    request.error = message.error_detail().message();
  }
  return request;
}

}  // namespace

std::optional<Request> parse_request(Protocol protocol, std::string_view bytes) {
  if (protocol == Protocol::kSotw) {
    DiscoveryRequest message;
    if (!parse(bytes, message)) {
      return std::nullopt;
    }
    Request request = common(message);
    request.version = message.version_info();
    request.names.assign(message.resource_names().begin(), message.resource_names().end());
    return request;
  }
  DeltaDiscoveryRequest message;
  if (!parse(bytes, message)) {
    return std::nullopt;
  }
  Request request = common(message);
  request.names.assign(message.resource_names_subscribe().begin(), message.resource_names_subscribe().end());
  request.unsubscribe.assign(message.resource_names_unsubscribe().begin(), message.resource_names_unsubscribe().end());
  request.held.insert(message.initial_resource_versions().begin(), message.initial_resource_versions().end());
  return request;
}

std::string serialize(Protocol protocol, const Response& response) {
  const std::string type_url(xds::names_of(response.type).type_url);
  if (protocol == Protocol::kSotw) {
    DiscoveryResponse message;
    message.set_version_info(response.version);
    message.set_type_url(type_url);
    message.set_nonce(response.nonce);
    message.mutable_control_plane()->set_identifier(kIdentifier);
    for (const ResourcePtr& resource : response.resources) {
      google::protobuf::Any& any = *message.add_resources();
      any.set_type_url(type_url);
      any.set_value(resource->body);
    }
    return message.SerializeAsString();
  }
  DeltaDiscoveryResponse message;
  message.set_system_version_info(response.version);
  message.set_type_url(type_url);
  message.set_nonce(response.nonce);
  message.mutable_control_plane()->set_identifier(kIdentifier);
  for (const ResourcePtr& resource : response.resources) {
    auto& one = *message.add_resources();
    one.set_name(resource->name);
    one.set_version(resource->version);
    one.mutable_resource()->set_type_url(type_url);
    one.mutable_resource()->set_value(resource->body);
  }
  message.mutable_removed_resources()->Assign(response.removed.begin(), response.removed.end());
  return message.SerializeAsString();
}

}  // namespace sluice::control_plane
