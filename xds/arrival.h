// Arrival: a discovery response, taken apart.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "config/subscription.h"

namespace envoy::service::discovery::v3 {
class DiscoveryResponse;
class DeltaDiscoveryResponse;
}  // namespace envoy::service::discovery::v3

namespace sluice::xds {

// One resource of a response. A plain value.
struct ArrivedResource {
  config::Resource resource;
  std::string own_version;  // of the wrapper, in a state-of-the-world response too
  Duration ttl{0};          // zero: none
  bool heartbeat = false;   // only renews the ttl of what is held
};

// A plain value.
struct Arrival {
  config::ResourceType type{};
  std::string version;
  std::string control_plane;
  bool complete = false;  // state of the world
  std::vector<ArrivedResource> resources;
  std::vector<std::string> removed;

  bool only_heartbeats() const;
};

// The resources of `response`, which loses them, into `arrival`, whose type is known. Empty: all is well. Otherwise why
// the response must be refused; `arrival` has the names then that were read so far. A resource without a body comes
// through: whether that is a heartbeat is known to who holds the others. Thread: any.
std::string take_apart(envoy::service::discovery::v3::DiscoveryResponse& response, Arrival& arrival);
std::string take_apart(envoy::service::discovery::v3::DeltaDiscoveryResponse& response, Arrival& arrival);

// Why the body of `resource` cannot be what it says: its bytes, or the first field rule that it breaks. Empty: it can.
// Thread: any.
std::string problem_in(const config::Resource& resource);

}  // namespace sluice::xds
