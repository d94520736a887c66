// Subsets: the hosts of a cluster by the subset_selectors of its lb_subset_config.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "model/subset_plan.h"
#include "upstream/host_set.h"

namespace sluice::upstream {

// Built on main beside its HostSet, and published with it. Immutable. Thread: any.
struct Subsets {
  std::unordered_map<std::string, HostSetPtr> by_id;  // model::LbMatch::id
  HostSetPtr default_subset;                          // null: no host is in it
  uint32_t duplicates = 0;                            // hosts that had no place in a subset of one
};

std::shared_ptr<const Subsets> build_subsets(const model::SubsetPlan& plan, const model::LbPlan& lb,
                                             const HostSet& whole);

}  // namespace sluice::upstream
