#include "upstream/load_balancer/load_balancer.h"

namespace sluice::upstream {

using stats::ClusterStat;

void LoadBalancer::update(HostSetPtr hosts) {
  pickers_.clear();
  localities_.clear();
  zones_ = nullptr;
  hosts_ = std::move(hosts);
  pickers_.resize(hosts_->groups.size());
  localities_.resize(hosts_->priorities.size());
}

// Consistent hashing chooses the priority by the hash too.
uint64_t LoadBalancer::random_of(const LbRequest& request) {
  return lb_.hashes()                                   ? request.hash.value_or(random_.next())
         : hosts_->simple() && request.tried == nullptr ? 0
                                                        : random_.next();
}

Host* LoadBalancer::choose(const LbRequest& request, const OwnZone* own) {
  const uint64_t random = random_of(request);
  if (hosts_->priorities.empty()) {
    return nullptr;
  }
  const HostSet::Choice choice =
      request.tried == nullptr ? hosts_->choose_priority(random) : hosts_->choose_priority(random, *request.tried);
  const PickRequest wanted{random, request.attempt};
  if (ZoneRouting* zones = own == nullptr ? nullptr : zones_for(choice, own);
      zones != nullptr && lb_.zone_aware->routing_enabled.includes(random_.next())) {
    if (!zones->peers_panic()) {
      return zones->choose(wanted, breakers_, random_, loop_);
    }
    block_.inc(ClusterStat::kLbLocalClusterNotOk);
    if (lb_.fail_traffic_on_panic) {
      return nullptr;
    }
  }
  return pick(choice, wanted);
}

Host* LoadBalancer::choose_in(const HostSet::Choice& choice, const LbRequest& request) {
  return pick(choice, {random_of(request), request.attempt});
}

ZoneRouting* LoadBalancer::zones_for(const HostSet::Choice& choice, const OwnZone* own) {
  const PriorityHosts& priority = *choice.priority;
  if (own->peers == nullptr || lb_.locality_weighted || lb_.hashes() || choice.degraded || priority.panic ||
      &priority != &hosts_->priorities.front()) {
    return nullptr;
  }
  if (zones_ == nullptr || !zones_->made_of(hosts_.get(), own->peers.get())) {
    zones_ = std::make_unique<ZoneRouting>(lb_, hosts_, *own, block_);
  }
  return zones_->routes() ? zones_.get() : nullptr;
}

Host* LoadBalancer::pick(const HostSet::Choice& choice, const PickRequest& request) {
  const PriorityHosts& priority = *choice.priority;
  // A table has the usable hosts of its priority alone; the degraded ones only count for how much it can take.
  uint32_t group = choice.degraded && !lb_.hashes() ? priority.degraded : priority.usable;
  if (priority.panic) {
    block_.inc(ClusterStat::kLbHealthyPanic);
    group = lb_.fail_traffic_on_panic ? PriorityHosts::kNone : priority.usable;
  } else if (!(choice.degraded ? priority.degraded_localities : priority.usable_localities).empty()) {
    group = choose_locality(priority, choice.degraded);
  }
  if (group == PriorityHosts::kNone) {
    return nullptr;
  }
  return picker_of(group).pick(request);
}

// Which locality comes next is not told ahead, nor are zones looked at.
Host* LoadBalancer::peek() {
  if (hosts_->priorities.empty()) {
    return nullptr;
  }
  const auto [priority, degraded] = hosts_->choose_priority(hosts_->simple() ? 0 : random_.next());
  const uint32_t group = degraded ? priority->degraded : priority->usable;
  return group == PriorityHosts::kNone ? nullptr : picker_of(group).peek();
}

Picker& LoadBalancer::picker_of(uint32_t group) {
  std::unique_ptr<Picker>& picker = pickers_[group];
  if (picker == nullptr) {
    picker = make_picker(lb_, hosts_->groups[group], breakers_, random_, loop_);
  }
  return *picker;
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
