// ZoneRouting: keeps requests in the zone of the proxy as far as the hosts there can take them, and shares the rest
// among the zones that have room left.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/zone_aware
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "upstream/breakers.h"
#include "upstream/host_set.h"
#include "upstream/load_balancer/picker.h"

namespace sluice::upstream {

// Where the proxy stands (node.locality), and its own like: the hosts of cluster_manager.local_cluster_name, which say
// how the requests are spread over the zones. Thread: worker.
struct OwnZone {
  model::Locality locality;
  HostSetPtr peers;  // null: there is no such cluster, yet
};

// For one set of hosts and one set of peers, of which it keeps both: another one is made when either changes. Looks at
// the healthy hosts of the first priority only. Thread: worker.
class ZoneRouting {
 public:
  ZoneRouting(const model::LbPlan& lb, HostSetPtr hosts, const OwnZone& own, stats::Block<stats::ClusterStat> block);

  bool made_of(const HostSet* hosts, const HostSet* peers) const {
    return hosts_.get() == hosts && peers_.get() == peers;
  }
  // False: too few zones or hosts, or nothing is known of this zone; zones do not count.
  bool routes() const { return routes_; }
  // Too few of the peers are healthy: how requests are spread is not known.
  bool peers_panic() const { return peers_->priorities.empty() || peers_->priorities.front().panic; }
  // Only if it routes.
  Host* choose(const PickRequest& request, const Breakers& breakers, Random& random, const event::Loop& loop);

 private:
  struct Zone {
    const model::Locality* locality;
    HostGroup healthy;
    std::unique_ptr<Picker> picker;  // made at first use
    uint64_t share = 0;              // of the healthy hosts, in 1/10,000
    uint64_t peer_share = 0;         // of the peers
    uint64_t room_up_to = 0;         // what this zone and those before it could take from others
  };

  bool find_zones(const OwnZone& own);
  void share_out();
  size_t choose_zone(Random& random);

  const model::LbPlan& lb_;
  const HostSetPtr hosts_, peers_;
  stats::Block<stats::ClusterStat> block_;
  std::vector<Zone> zones_;    // the proxy's own first, if it has hosts there
  bool has_own_ = false;
  bool routes_ = false;
  bool all_here_ = false;      // this zone can take everything
  uint64_t part_here_ = 0;     // otherwise so much of it, in 1/10,000
};

}  // namespace sluice::upstream
