// ClusterShared: what all workers share of one cluster.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/function.h"
#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "stats/registry.h"
#include "upstream/breakers.h"
#include "upstream/endpoint_stats.h"
#include "upstream/goodbye_inbox.h"
#include "upstream/host_set.h"

namespace sluice::upstream {

class NameLookups;  // upstream/dns_cache.h

class ClusterShared;

// Hands the hosts of clusters on to the workers. Outlives the clusters that it follows. Thread: main.
class HostsFollower {
 public:
  // cluster.hosts() are others than before.
  virtual void on_hosts(ClusterShared& cluster) = 0;

 protected:
  ~HostsFollower() = default;
};

// Plan, hosts, limits and names of one cluster. Made on main, shared by the workers, lives until the last of them lets
// go; release() gives its stats back. Thread: any, but for what is main's.
class ClusterShared {
 public:
  // `cells` are main's.
  ClusterShared(model::ClusterPlanPtr plan, stats::Registry& registry, stats::WorkerCells& cells);
  ~ClusterShared();

  const model::ClusterPlanPtr plan;
  Breakers breakers;
  stats::Registry& registry;
  stats::BlockId stats;  // of requests and connections
  stats::BlockId member_stats;
  // What few ask for; null: none of it.
  struct Tracked {
    stats::BlockId remaining[2];               // by priority, where track_remaining is set
    stats::BlockId sizes;                      // where track_sizes is set
    stats::BlockId budgets;                    // where track_budgets is set
    std::unique_ptr<EndpointStats> endpoints;  // where track_endpoints is set
  };
  std::unique_ptr<Tracked> tracked;
  std::shared_ptr<OutlierInbox> outliers;  // null: nobody asks
  std::shared_ptr<GoodbyeInbox> goodbyes;  // null: its hosts are not checked; set before any worker has the cluster
  std::shared_ptr<NameLookups> lookups;    // kForward: who finds its hosts; set before any worker has the cluster

  // ---- main
  // The endpoints from now on: static ones, the answers of DNS, an assignment of EDS. The same workers' connections to
  // hosts that stay are kept, those to others drain. Hosts that checks find well stay although no assignment has them.
  void assign(model::AssignmentPtr assignment);
  // Those that stayed and are not well any more go.
  void let_go_removed() { assign(assigned_); }
  // The health of a host changed.
  void refresh();
  const HostSetPtr& hosts() const { return hosts_; }
  // Is told of each new set; null: nobody.
  void follow(HostsFollower* follower) { follower_ = follower; }
  // Is told after each assignment; of the health checker.
  void on_members(Function<void()> hook) {
    on_members_ = hook ? std::make_unique<Function<void()>>(std::move(hook)) : nullptr;
  }
  stats::Block<stats::ClusterMemberStat>& main_block() { return main_block_; }
  // From now on the workers tell how tries end. Before any worker has the cluster.
  void watch_outliers(std::shared_ptr<OutlierInbox> inbox);
  // The gauges of its circuit breakers, and the stats of its endpoints, as they are now.
  void refresh_stats();

 private:
  model::AssignmentPtr with_those_that_stay(const model::AssignmentPtr& assignment) const;
  void publish(HostSetPtr hosts);
  void show_breakers();
  Tracked& track();
  void count_outliers(const HostSet& hosts);
  void show_tables();
  void show_subsets(const HostSet* former);

  stats::WorkerCells& main_cells_;
  stats::Block<stats::ClusterMemberStat> main_block_;
  stats::BlockId table_stats_;
  HostSetPtr hosts_;
  model::AssignmentPtr assigned_;      // without the hosts that only stay
  std::vector<HostSetPtr> published_;  // main frees them, not a worker
  HostsFollower* follower_ = nullptr;
  std::unique_ptr<Function<void()>> on_members_;
};

}  // namespace sluice::upstream
