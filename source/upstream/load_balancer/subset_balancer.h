// SubsetBalancer: chooses a host among those that have the metadata which the request's route wants.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/random.h"
#include "stats/names_cluster.h"
#include "upstream/load_balancer/load_balancer.h"
#include "upstream/load_balancer/subsets.h"

namespace sluice::upstream {

// A worker's balancer of one cluster with lb_subset_config. Thread: worker.
class SubsetBalancer {
 public:
  SubsetBalancer(const model::SubsetPlan& plan, const model::LbPlan& lb, const Breakers& breakers, Random& random,
                 const event::Loop& loop, stats::Block<stats::ClusterStat> block)
      : plan_(plan), lb_(lb), breakers_(breakers), random_(random), loop_(loop), block_(block) {}

  void update(HostSetPtr hosts);
  // `own`: as LoadBalancer's.
  Host* choose(const LbRequest& request, const OwnZone* own);

 private:
  Host* choose_matching(const LbRequest& request, const model::LbMatch* match);
  Host* choose_in(const HostSetPtr& hosts, const LbRequest& request);
  Host* fall_back(const LbRequest& request);
  Host* fall_back(const model::SubsetSelector& selector, const LbRequest& request, const model::LbMatch& match);

  const model::SubsetPlan& plan_;
  const model::LbPlan& lb_;
  const Breakers& breakers_;
  Random& random_;
  const event::Loop& loop_;
  const OwnZone* own_ = nullptr;  // during a choice
  stats::Block<stats::ClusterStat> block_;
  HostSetPtr hosts_;
  std::unordered_map<const HostSet*, std::unique_ptr<LoadBalancer>> balancers_;  // made at first use
};

}  // namespace sluice::upstream
