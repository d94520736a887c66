// Subscription: how resources come to whoever uses them while the process runs, out of a watched file or from a control
// plane. The users see no difference; the seam between them is this file.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-docs/xds_protocol
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

enum class ResourceType : uint8_t {
  kCluster,
  kEndpoints,
  kListener,
  kRoutes,
  kScopedRoutes,
  kVirtualHost,
  kSecret,
  kRuntime,
  kExtension,
};

// One resource as it came. A plain value.
struct Resource {
  std::string name;
  std::string version;   // its own; of the response when it has none
  std::string type_url;  // of its body
  std::string body;      // the message, serialized
  std::vector<std::string> aliases;
  bool has_body = true;  // false, with aliases: there is no such virtual host
};

// What one response or one reading of a file says. A plain value.
struct ResourceUpdate {
  std::string version;    // of the response
  bool complete = false;  // what the user holds and is not here is gone (files and SotW, of listeners and clusters)
  bool known = false;     // no answer to this user: it had come for another one before (xds/control_plane.h)
  std::vector<Resource> resources;
  std::vector<std::string> removed;  // by name: deleted, run out of time, or known not to exist
  std::string file;  // where it was read; empty: it came from a control plane
  std::string text;  // its content, in place of the resources: errors are to tell the line
  std::string control_plane;         // how that calls itself (control_plane.identifier)
};

// Owned by whoever needs the resources; outlives its subscription. Thread: main.
class ResourceUser {
 public:
  // Empty: everything was taken (ACK). Otherwise what was not, by resource and field (NACK): the rest may be in force.
  virtual std::string on_resources(const ResourceUpdate& update) = 0;
  // A response was refused (NACK) before this user saw anything of it: bytes that are no resource, a broken field rule.
  // It was an answer, though: there is no on_timeout() any more. What is in force stays.
  virtual void on_rejected(std::string_view why) = 0;
  // No response, and no further one for now: the stream could not be opened or ended, the file cannot be read, or what
  // came is no discovery response. What is in force stays.
  virtual void on_failure(std::string_view why) = 0;
  // initial_fetch_timeout passed without a resource. The subscription goes on.
  virtual void on_timeout() = 0;

 protected:
  ~ResourceUser() = default;
};

// Ends with its object. Owned by its user. Thread: main.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // The names that it asks for from now on; never called on one that asked for everything.
  virtual void ask(std::set<std::string, std::less<>> names) = 0;
};

}  // namespace sluice::config
