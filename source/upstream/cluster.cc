#include "upstream/cluster.h"

#include <algorithm>
#include <atomic>

#include "base/strings.h"

namespace sluice::upstream {

using stats::ClusterStat;

namespace {
std::string prefix_of(const model::ClusterPlan& plan) { return cat("cluster.", plan.stat_name, "."); }
}  // namespace

ClusterShared::ClusterShared(model::ClusterPlanPtr the_plan, stats::Registry& the_registry)
    : plan(std::move(the_plan)), breakers(plan->breakers), registry(the_registry) {
  for (const model::EndpointPlan& endpoint : plan->endpoints) {
    hosts.emplace_back().plan = &endpoint;
  }
  const std::string prefix = prefix_of(*plan);
  stats = registry.add_block<ClusterStat>(prefix);
  breaker_stats[0] = registry.add_block<stats::BreakerStat>(cat(prefix, "circuit_breakers.default."));
  breaker_stats[1] = registry.add_block<stats::BreakerStat>(cat(prefix, "circuit_breakers.high."));
}

ClusterShared::~ClusterShared() {
  registry.release_block(stats);
  registry.release_block(breaker_stats[0]);
  registry.release_block(breaker_stats[1]);
}

Cluster::Cluster(std::shared_ptr<ClusterShared> shared, WorkerLocal& local)
    : shared_(std::move(shared)),
      local_(local),
      block_(local.cells.block<ClusterStat>(shared_->stats)),
      codes_(local.cells, shared_->stats),
      internal_codes_(local.cells, shared_->stats, "internal."),
      external_codes_(local.cells, shared_->stats, "external.") {
  std::vector<Host*> usable;
  for (Host& host : shared_->hosts) {
    if (host.healthy()) {
      usable.push_back(&host);
    }
  }
  if (local.index == 0) {  // membership is a fact of the process, not of each worker
    block_.set(ClusterStat::kMembershipTotal, shared_->hosts.size());
    block_.set(ClusterStat::kMembershipHealthy, usable.size());
    block_.set(ClusterStat::kMembershipChange, shared_->hosts.empty() ? 0 : 1);
  }
  balancer_ = make_load_balancer(plan().lb_policy, std::move(usable), local.random);
}

Cluster::~Cluster() = default;

void Cluster::count_response(uint16_t status, bool internal) {
  codes_.inc(status);
  (internal ? internal_codes_ : external_codes_).inc(status);
}

void Cluster::record_response_time(uint64_t ms, bool internal) {
  codes_.record_time(ms);
  (internal ? internal_codes_ : external_codes_).record_time(ms);
}

Pool& Cluster::pool(Host& host) {
  std::unique_ptr<Pool>& pool = pools_[&host];
  if (pool == nullptr) {
    pool = std::make_unique<Pool>(*this, host, local_);
  }
  return *pool;
}

uint64_t Cluster::next_connection_id() {
  static std::atomic<uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void ClusterSet::add(std::shared_ptr<ClusterShared> shared) {
  std::string name = shared->plan->name;
  clusters_[std::move(name)] = std::make_unique<Cluster>(std::move(shared), local_);
}

Cluster* ClusterSet::find(std::string_view name) const {
  const auto found = clusters_.find(name);
  return found == clusters_.end() ? nullptr : found->second.get();
}

}  // namespace sluice::upstream
