// What both protocols say, as one: requests taken apart, responses put together.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/control_plane/snapshot.h"

namespace sluice::control_plane {

enum class Protocol : uint8_t { kSotw, kDelta };

// A DiscoveryRequest or a DeltaDiscoveryRequest. A plain value.
struct Request {
  struct Node {
    std::string id, cluster, agent;
  };
  std::optional<Node> node;
  std::string type_url;
  std::string nonce;
  std::optional<std::string> error;  // a NACK: what was wrong
  std::vector<std::string> names;    // SotW: all; delta: those that come to it
  // SotW only.
  std::string version;
  // Delta only.
  std::vector<std::string> unsubscribe;
  std::map<std::string, std::string> held;  // with their versions, on a new stream
};

// A plain value.
struct Response {
  ResourceType type{};
  std::string version;
  std::string nonce;
  std::vector<ResourcePtr> resources;
  std::vector<std::string> removed;  // delta only
};

// Nothing: these bytes are no request. Thread: any.
std::optional<Request> parse_request(Protocol protocol, std::string_view bytes);
std::string serialize(Protocol protocol, const Response& response);

}  // namespace sluice::control_plane
