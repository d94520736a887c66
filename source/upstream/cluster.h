// Cluster: a worker's view of one upstream service, over what all workers share of it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "stats/response_codes.h"
#include "upstream/breakers.h"
#include "upstream/host.h"
#include "upstream/load_balancer/load_balancer.h"
#include "upstream/pool.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

// Plan, hosts, limits and names of one cluster. Made on main, shared by the workers, lives until the last of them lets
// go. Thread: any.
struct ClusterShared {
  ClusterShared(model::ClusterPlanPtr plan, stats::Registry& registry);
  ~ClusterShared();

  const model::ClusterPlanPtr plan;
  std::deque<Host> hosts;  // a deque: hosts do not move
  Breakers breakers;
  stats::Registry& registry;
  stats::BlockId stats;
  stats::BlockId breaker_stats[2];  // by priority
};

// Thread: worker.
class Cluster {
 public:
  Cluster(std::shared_ptr<ClusterShared> shared, WorkerLocal& local);
  ~Cluster();

  const model::ClusterPlan& plan() const { return *shared_->plan; }
  Breakers& breakers() { return shared_->breakers; }
  stats::Block<stats::ClusterStat>& block() { return block_; }
  // An answer to a request, of an upstream or instead of one: upstream_rq_* and, by where the request came from,
  // internal.upstream_rq_* or external.upstream_rq_*.
  void count_response(uint16_t status, bool internal);
  void record_response_time(uint64_t ms, bool internal);

  // Null: no healthy host.
  Host* choose_host() { return balancer_->choose(); }
  // The pool of a host of this cluster, made at its first use.
  Pool& pool(Host& host);

  uint64_t next_connection_id();

 private:
  std::shared_ptr<ClusterShared> shared_;
  WorkerLocal& local_;
  stats::Block<stats::ClusterStat> block_;
  stats::ResponseCodes codes_;
  stats::ResponseCodes internal_codes_;
  stats::ResponseCodes external_codes_;
  std::unique_ptr<LoadBalancer> balancer_;
  std::unordered_map<Host*, std::unique_ptr<Pool>> pools_;
};

// The clusters of one worker by name. Thread: worker.
class ClusterSet {
 public:
  explicit ClusterSet(WorkerLocal& local) : local_(local) {}

  void add(std::shared_ptr<ClusterShared> shared);
  // Null when there is none of that name.
  Cluster* find(std::string_view name) const;
  void clear() { clusters_.clear(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  WorkerLocal& local_;
  std::unordered_map<std::string, std::unique_ptr<Cluster>, Hash, std::equal_to<>> clusters_;
};

}  // namespace sluice::upstream
