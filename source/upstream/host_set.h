// HostSet: the hosts of a cluster in the order in which they are chosen: by priority, health and locality. Built on
// main when endpoints or their health change, and published whole to the workers.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/overview
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/cluster_plan.h"
#include "upstream/host.h"
#include "upstream/load_balancer/hash_table.h"

namespace sluice::upstream {

struct WeightedHost {
  Host* host;
  uint32_t weight;
};

// Hosts among which a policy picks. Immutable. Thread: any.
struct HostGroup {
  std::vector<WeightedHost> hosts;
  bool even = true;                        // all have the same weight
  std::unique_ptr<const HashTable> table;  // RING_HASH and MAGLEV only
};

// One priority. Groups are indexes into HostSet::groups. Immutable. Thread: any.
struct PriorityHosts {
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Share {
    double weight;
    uint32_t group;
  };

  bool panic = false;  // too few are healthy: `usable` is all of them
  uint32_t usable = kNone;
  uint32_t degraded = kNone;
  std::vector<Share> usable_localities;  // locality-weighted balancing, without panic: used instead of `usable`
  std::vector<Share> degraded_localities;
  uint32_t usable_load = 0;  // percent of the requests
  uint32_t degraded_load = 0;
  uint32_t usable_capacity = 0;  // percent of all requests that these hosts could take
  uint32_t degraded_capacity = 0;
};

// The hosts that a request has tried; after each `every` of them (>= 1) it goes on to priorities that it has not seen.
struct TriedHosts {
  std::vector<const Host*> hosts;
  uint32_t every = 0;
};

struct Subsets;  // load_balancer/subsets.h

// Counts for the membership gauges, and what tables look like for theirs.
struct HostCounts {
  uint32_t total = 0, healthy = 0, degraded = 0, excluded = 0, max_weight = 0;
};

// Immutable. Thread: any.
class HostSet {
 public:
  struct Choice {
    const PriorityHosts* priority;
    bool degraded;
  };
  // By the shares of the priorities; `random` decides. Needs at least one priority.
  Choice choose_priority(uint64_t random) const;
  // The same among the priorities of other hosts than those (retry_priority previous_priorities); when there are none,
  // among all.
  Choice choose_priority(uint64_t random, const TriedHosts& tried) const;
  // Everything goes to the usable hosts of the first priority.
  bool simple() const { return priorities.empty() || priorities[0].usable_load == 100; }

  std::vector<std::shared_ptr<Host>> hosts;  // in the order of the assignment
  std::vector<HostGroup> groups;
  std::vector<PriorityHosts> priorities;
  HostCounts counts;
  model::AssignmentPtr assignment;         // hosts view it
  std::shared_ptr<const Subsets> subsets;  // null: the cluster has none

 private:
  std::vector<bool> left_priorities(const TriedHosts& tried) const;
  std::optional<size_t> priority_of(const Host& host) const;
};
using HostSetPtr = std::shared_ptr<const HostSet>;

// Hosts that `previous` has are taken over with their state; those that are in the new set no more are marked. Called
// again with the same assignment when a host's health changed. Thread: main.
// New hosts are unhealthy until their first check when `checked` says so.
enum class Checked : uint8_t { kNo, kYes };
// `members`, by the order of the assignment, of a set that is built; health and priorities are counted among them
// alone.
HostSetPtr build_host_subset(const model::LbPlan& lb, const HostSet& whole, const std::vector<bool>& members);
HostSetPtr build_host_set(const model::LbPlan& lb, model::AssignmentPtr assignment, const HostSet* previous,
                          Checked checked = Checked::kNo);

}  // namespace sluice::upstream
