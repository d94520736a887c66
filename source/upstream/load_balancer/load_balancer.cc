#include "upstream/load_balancer/load_balancer.h"

namespace sluice::upstream {

using stats::ClusterStat;

void LoadBalancer::update(HostSetPtr hosts) {
  pickers_.clear();
  localities_.clear();
  hosts_ = std::move(hosts);
  pickers_.resize(hosts_->groups.size());
  localities_.resize(hosts_->priorities.size());
}

Host* LoadBalancer::choose(const LbRequest& request) {
  // Consistent hashing chooses the priority by the hash too.
  const uint64_t random = lb_.hashes()                                   ? request.hash.value_or(random_.next())
                          : hosts_->simple() && request.tried == nullptr ? 0
                                                                         : random_.next();
  const uint32_t group = choose_group(random, request.tried);
  if (group == PriorityHosts::kNone) {
    return nullptr;
  }
  std::unique_ptr<Picker>& picker = pickers_[group];
  if (picker == nullptr) {
    picker = make_picker(lb_, hosts_->groups[group], breakers_, random_);
  }
  return picker->pick({random, request.attempt});
}

uint32_t LoadBalancer::choose_group(uint64_t random, const TriedHosts* tried) {
  if (hosts_->priorities.empty()) {
    return PriorityHosts::kNone;
  }
  const HostSet::Choice choice =
      tried == nullptr ? hosts_->choose_priority(random) : hosts_->choose_priority(random, *tried);
  const PriorityHosts& priority = *choice.priority;
  if (priority.panic) {
    block_.inc(ClusterStat::kLbHealthyPanic);
    return lb_.fail_traffic_on_panic ? PriorityHosts::kNone : priority.usable;
  }
  if (!(choice.degraded ? priority.degraded_localities : priority.usable_localities).empty()) {
    return choose_locality(priority, choice.degraded);
  }
  return choice.degraded ? priority.degraded : priority.usable;
}

uint32_t LoadBalancer::choose_locality(const PriorityHosts& priority, bool degraded) {
  std::unique_ptr<Localities>& localities = localities_[static_cast<size_t>(&priority - hosts_->priorities.data())];
  if (localities == nullptr) {
    localities = std::make_unique<Localities>();
    for (const PriorityHosts::Share& share : priority.usable_localities) {
      localities->usable.add(share.weight, &share);
    }
    for (const PriorityHosts::Share& share : priority.degraded_localities) {
      localities->degraded.add(share.weight, &share);
    }
  }
  auto& queue = degraded ? localities->degraded : localities->usable;
  return queue.pick([](const PriorityHosts::Share* share) { return share->weight; })->group;
}

}  // namespace sluice::upstream
