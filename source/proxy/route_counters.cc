#include "proxy/route_counters.h"

namespace sluice::proxy {

RouteCounters::~RouteCounters() {
  for (const auto& [prefix, counter] : counters_) local_.registry.release_block(counter->id);
}

RouteCounter& RouteCounters::counter(const std::string& prefix) {
  std::unique_ptr<RouteCounter>& made = counters_[prefix];
  if (made == nullptr) {
    const stats::BlockId id = local_.registry.add_block<RouteStat>(prefix);
    made = std::make_unique<RouteCounter>(
        RouteCounter{id, local_.cells.block<RouteStat>(id), stats::ResponseCodes(local_.cells, id)});
  }
  return *made;
}

void RouteCounters::add(const model::RouteTable& table) {
  for (const auto& host : table.hosts) {
    for (const model::VirtualCluster& cluster : host->virtual_clusters) counter(cluster.stats);
    for (const model::Route& route : host->routes) {
      if (!route.stats.empty()) counter(route.stats);
    }
  }
}

}  // namespace sluice::proxy
