// RouteDiscovery: RDS and VHDS, for all connection managers of the process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "model/discovered.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// A table that was discovered, for /config_dump. A plain value.
struct RouteVersion {
  std::string name, version, bytes;
  WallTime updated{};
};

// Each table is asked for once, while somebody follows it. Owned by the server. Thread: main.
class RouteDiscovery {
 public:
  explicit RouteDiscovery(const DiscoveryTools& tools);
  ~RouteDiscovery();

  // Until as many calls of forget(). The slot is filled whenever a table comes.
  void follow(const model::RouteSubscription& subscription);
  void forget(const model::RouteSubscription& subscription);
  // Calls once it is known what there is: a table came, with its hosts by VHDS, or was refused, or did not come in time;
  // perhaps at once. The table must be followed.
  void when_known(const model::RouteSubscription& subscription, Function<void()> hook);
  void clear();
  std::vector<RouteVersion> dump() const;
  // The names of those of which nothing is known yet.
  std::vector<std::string> awaited() const;

 private:
  class Table;

  const DiscoveryTools& tools_;
  std::map<const model::RouteSlot*, std::unique_ptr<Table>> tables_;
};

}  // namespace sluice::server
