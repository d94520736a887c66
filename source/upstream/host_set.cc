#include "upstream/host_set.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "base/strings.h"
#include "model/health_plan.h"
#include "upstream/load_balancer/subsets.h"
#include "upstream/zone_names.h"

namespace sluice::upstream {
namespace {

enum class Health : uint8_t { kHealthy, kDegraded, kUnhealthy };

Health health_of(const Host& host) {
  if (host.failing.load(std::memory_order_relaxed) != 0) {
    return Health::kUnhealthy;
  }
  switch (host.plan->health) {
    case model::HealthStatus::kUnhealthy:
    case model::HealthStatus::kDraining:
    case model::HealthStatus::kTimeout:
      return Health::kUnhealthy;
    case model::HealthStatus::kDegraded:
      return Health::kDegraded;
    default:
      return host.degraded.load(std::memory_order_relaxed) != 0 ? Health::kDegraded : Health::kHealthy;
  }
}

// One locality of one priority, its hosts sorted by their health.
struct Place {
  const model::LocalityPlan* plan;
  std::vector<WeightedHost> all, healthy, degraded;
  uint32_t excluded = 0;
};

// What the health of a priority is counted from: hosts, or their weights.
struct Amounts {
  uint64_t all = 0, healthy = 0, degraded = 0;
};

struct Level {
  std::vector<Place> places;
  Amounts hosts;
  Amounts amounts;
};

class Builder {
 public:
  Builder(const model::LbPlan& lb, Checked checked, HostSet& out) : lb_(lb), checked_(checked), out_(out) {}

  // Only these, of hosts that are known.
  void restrict_to(const std::vector<bool>& members) { members_ = &members; }

  void build(const HostSet* previous) {
    take_hosts(previous);
    share_out();
    for (size_t i = 0; i < levels_.size(); ++i) {
      group_level(levels_[i], out_.priorities[i]);
    }
  }

 private:
  static std::string key_of(const net::Address& address, const std::string& hostname) {
    return cat(address.to_string(), " ", hostname);
  }

  // An assignment may name an address twice: each takes one host of before.
  void take_hosts(const HostSet* previous) {
    std::unordered_multimap<std::string, std::shared_ptr<Host>> before;
    if (previous != nullptr && previous->assignment != out_.assignment) {
      // Backwards: equal keys come out in the order of the assignment.
      for (size_t i = previous->hosts.size(); i-- > 0;) {
        const std::shared_ptr<Host>& host = previous->hosts[i];
        before.emplace(key_of(host->address(), host->hostname()), host);
      }
    }
    size_t size = 0;
    for (const model::LocalityPlan& locality : out_.assignment->localities) {
      size += locality.endpoints.size();
    }
    out_.hosts.reserve(size);
    size_t at = 0;
    for (const model::LocalityPlan& locality : out_.assignment->localities) {
      if (levels_.size() <= locality.priority) {
        levels_.resize(locality.priority + 1);
      }
      Level& level = levels_[locality.priority];
      Place place{&locality, {}, {}, {}};
      const uint32_t zone = zone_number(locality.locality.zone);
      for (const model::EndpointPlan& endpoint : locality.endpoints) {
        if (members_ != nullptr && !(*members_)[at]) {
          ++at;
          continue;
        }
        std::shared_ptr<Host> host;
        if (previous != nullptr && previous->assignment == out_.assignment) {
          host = previous->hosts[at++];
        } else if (auto found = before.find(key_of(endpoint.address, endpoint.extra->hostname));
                   found != before.end()) {
          host = std::move(found->second);
          before.erase(found);
        } else {
          host = std::make_shared<Host>(endpoint.address, endpoint.extra->hostname);
          if (checked_ == Checked::kYes && (endpoint.extra->check == nullptr || !endpoint.extra->check->off)) {
            host->failing.store(kActiveCheck, std::memory_order_relaxed);
            host->check_pending = true;
          }
        }
        if (members_ == nullptr) {
          host->plan = &endpoint;
          host->place = &locality;
          if (previous == nullptr || previous->assignment != out_.assignment) host->set_others(endpoint.extra->others);
        }
        host->socket_match.store(endpoint.socket_match, std::memory_order_relaxed);
        host->canary.store(endpoint.canary, std::memory_order_relaxed);
        host->assigned.store(endpoint.health, std::memory_order_relaxed);
        host->state.zone.store(zone, std::memory_order_release);
        if (const MetadataPtr& metadata = endpoint.extra->metadata;
            members_ == nullptr && (metadata != nullptr || host->has_metadata)) {
          host->metadata.store(metadata);
          host->has_metadata.store(metadata != nullptr, std::memory_order_relaxed);
        }
        sort_in(*host, level, place);
        out_.hosts.push_back(std::move(host));
      }
      level.places.push_back(std::move(place));
    }
    for (const auto& [key, host] : before) {
      host->removed.store(true, std::memory_order_relaxed);
    }
  }

  void sort_in(Host& host, Level& level, Place& place) {
    const uint32_t weight = host.weight();
    HostCounts& counts = out_.counts;
    ++counts.total;
    counts.max_weight = std::max(counts.max_weight, host.plan->weight);
    place.all.push_back({&host, weight});
    const bool ignored = lb_.ignore_unchecked && host.check_pending;
    if (host.plan->health == model::HealthStatus::kDraining || host.says_goodbye || ignored) {
      ++place.excluded;
      ++counts.excluded;
      return;
    }
    const uint64_t amount = out_.assignment->weighted_priority_health ? weight : 1;
    level.hosts.all += 1;
    level.amounts.all += amount;
    switch (health_of(host)) {
      case Health::kHealthy:
        place.healthy.push_back({&host, weight});
        level.hosts.healthy += 1;
        level.amounts.healthy += amount;
        ++counts.healthy;
        break;
      case Health::kDegraded:
        place.degraded.push_back({&host, weight});
        level.hosts.degraded += 1;
        level.amounts.degraded += amount;
        ++counts.degraded;
        break;
      case Health::kUnhealthy:
        break;
    }
  }

  uint32_t availability(uint64_t good, uint64_t all) const {
    return all == 0
               ? 0
               : static_cast<uint32_t>(std::min<uint64_t>(100, out_.assignment->overprovisioning_factor * good / all));
  }

  bool too_few(const Level& level) const {
    if (level.hosts.all == 0) {
      return lb_.panic_threshold > 0;
    }
    const double good =
        100.0 * static_cast<double>(level.hosts.healthy + level.hosts.degraded) / static_cast<double>(level.hosts.all);
    return good < lb_.panic_threshold;
  }

  // Percents of the requests for each priority: healthy hosts of all priorities first, then degraded ones.
  void share_out() {
    out_.priorities.resize(levels_.size());
    if (levels_.empty()) {
      return;
    }
    std::vector<uint32_t> healthy, degraded;
    uint32_t total = 0;
    for (const Level& level : levels_) {
      healthy.push_back(availability(level.amounts.healthy, level.amounts.all));
      degraded.push_back(availability(level.amounts.degraded, level.amounts.all));
      total += healthy.back() + degraded.back();
    }
    for (size_t i = 0; i < levels_.size(); ++i) {
      out_.priorities[i].usable_capacity = healthy[i];
      out_.priorities[i].degraded_capacity = degraded[i];
    }
    total = std::min(total, 100u);
    if (total == 0 && lb_.panic_threshold <= 0) {
      out_.priorities[0].usable_load = 100;
      return;
    }
    bool all_panic = true;
    for (size_t i = 0; i < levels_.size(); ++i) {
      out_.priorities[i].panic = total < 100 && too_few(levels_[i]);
      all_panic = all_panic && out_.priorities[i].panic;
    }
    if (all_panic) {
      share_by_size();
      return;
    }
    uint32_t left = 100;
    for (size_t i = 0; i < levels_.size(); ++i) {
      const uint32_t load = std::min(left, healthy[i] * 100 / total);
      out_.priorities[i].usable_load = load;
      left -= load;
    }
    for (size_t i = 0; i < levels_.size(); ++i) {
      const uint32_t load = std::min(left, degraded[i] * 100 / total);
      out_.priorities[i].degraded_load = load;
      left -= load;
    }
    give_rest(healthy, degraded, left);
  }

  // What rounding left over goes to the first priority that can serve.
  void give_rest(const std::vector<uint32_t>& healthy, const std::vector<uint32_t>& degraded, uint32_t left) {
    for (size_t i = 0; i < levels_.size(); ++i) {
      if (healthy[i] > 0) {
        out_.priorities[i].usable_load += left;
        return;
      }
    }
    for (size_t i = 0; i < levels_.size(); ++i) {
      if (degraded[i] > 0) {
        out_.priorities[i].degraded_load += left;
        return;
      }
    }
  }

  // Every priority is in panic: health says nothing any more.
  void share_by_size() {
    uint64_t total = 0;
    for (const Level& level : levels_) {
      total += level.hosts.all;
    }
    uint32_t left = 100;
    for (size_t i = 0; total > 0 && i < levels_.size(); ++i) {
      out_.priorities[i].usable_load = static_cast<uint32_t>(100 * levels_[i].hosts.all / total);
      left -= out_.priorities[i].usable_load;
    }
    for (size_t i = 0; i < levels_.size(); ++i) {
      if (levels_[i].hosts.all > 0 || total == 0) {
        out_.priorities[i].usable_load += left;
        return;
      }
    }
  }

  uint32_t add_group(std::vector<WeightedHost> hosts) {
    if (hosts.empty()) {
      return PriorityHosts::kNone;
    }
    HostGroup& group = out_.groups.emplace_back();
    group.hosts = std::move(hosts);
    for (const WeightedHost& one : group.hosts) {
      group.even = group.even && one.weight == group.hosts.front().weight;
    }
    return static_cast<uint32_t>(out_.groups.size() - 1);
  }

  uint32_t add_joined(const Level& level, std::vector<WeightedHost> Place::*list) {
    std::vector<WeightedHost> hosts;
    for (const Place& place : level.places) {
      hosts.insert(hosts.end(), (place.*list).begin(), (place.*list).end());
    }
    return add_group(std::move(hosts));
  }

  // Of a subset, where scale_locality_weight says so: as much of it as of the locality's hosts.
  double locality_weight(const Place& place) const {
    if (members_ == nullptr || lb_.subsets == nullptr || !lb_.subsets->scale_locality_weight) {
      return place.plan->weight;
    }
    const double share = static_cast<double>(place.all.size()) / static_cast<double>(place.plan->endpoints.size());
    return std::round(place.plan->weight * share);
  }

  double effective_weight(const Place& place, size_t good) const {
    const size_t counted = place.all.size() - place.excluded;
    if (counted == 0 || good == 0) {
      return 0;
    }
    const double available = static_cast<double>(good) / static_cast<double>(counted);
    return locality_weight(place) * std::min(1.0, out_.assignment->overprovisioning_factor / 100.0 * available);
  }

  std::vector<PriorityHosts::Share> add_localities(const Level& level, std::vector<WeightedHost> Place::*list) {
    std::vector<PriorityHosts::Share> out;
    for (const Place& place : level.places) {
      const double weight = effective_weight(place, (place.*list).size());
      if (weight > 0) {
        out.push_back({weight, add_group(place.*list)});
      }
    }
    return out;
  }

  void group_level(const Level& level, PriorityHosts& out) {
    if (lb_.hashes()) {
      add_table(level, out);
      return;
    }
    if (out.panic) {
      out.usable = add_joined(level, &Place::all);
      return;
    }
    if (lb_.locality_weighted) {
      out.usable_localities = add_localities(level, &Place::healthy);
      out.degraded_localities = add_localities(level, &Place::degraded);
    }
    // Without a locality that has a weight, weights of localities do not count.
    if (out.usable_localities.empty()) {
      out.usable = add_joined(level, &Place::healthy);
    }
    if (out.degraded_localities.empty()) {
      out.degraded = add_joined(level, &Place::degraded);
    }
  }

  // Tables hold all localities, each host with its share of its locality's weight; degraded hosts only in a panic.
  void add_table(const Level& level, PriorityHosts& out) {
    const auto list = out.panic ? &Place::all : &Place::healthy;
    std::vector<double> weights;
    std::vector<WeightedHost> hosts;
    for (const Place& place : level.places) {
      uint64_t sum = 0;
      for (const WeightedHost& one : place.*list) {
        sum += one.weight;
      }
      const double locality = lb_.locality_weighted ? effective_weight(place, (place.*list).size()) : 0;
      for (const WeightedHost& one : place.*list) {
        const double weight = lb_.locality_weighted ? locality * one.weight / static_cast<double>(sum) : one.weight;
        if (weight > 0) {
          hosts.push_back(one);
          weights.push_back(weight);
        }
      }
    }
    out.usable = add_group(std::move(hosts));
    if (out.usable != PriorityHosts::kNone) {
      HostGroup& group = out_.groups[out.usable];
      group.table = make_hash_table(lb_, group.hosts, std::move(weights));
    }
  }

  const model::LbPlan& lb_;
  const Checked checked_;
  const std::vector<bool>* members_ = nullptr;
  HostSet& out_;
  std::vector<Level> levels_;
};

}  // namespace

HostSet::Choice HostSet::choose_priority(uint64_t random) const {
  const uint32_t at = static_cast<uint32_t>(random % 100) + 1;
  uint32_t sum = 0;
  for (const PriorityHosts& priority : priorities) {
    sum += priority.usable_load;
    if (at <= sum) {
      return {&priority, false};
    }
  }
  for (const PriorityHosts& priority : priorities) {
    sum += priority.degraded_load;
    if (at <= sum) {
      return {&priority, true};
    }
  }
  return {&priorities.front(), false};
}

HostSet::Choice HostSet::choose_priority(uint64_t random, const TriedHosts& tried) const {
  const std::vector<bool> left = left_priorities(tried);
  uint32_t total = 0;
  for (size_t i = 0; i < priorities.size(); ++i) {
    total += left[i] ? priorities[i].usable_capacity + priorities[i].degraded_capacity : 0;
  }
  total = std::min(total, 100u);
  if (total == 0) {
    return choose_priority(random);
  }
  // Each takes as much as it can; what rounding leaves over goes to the first.
  uint32_t at = static_cast<uint32_t>(random % 100);
  std::optional<Choice> first;
  for (const bool degraded : {false, true}) {
    for (size_t i = 0; i < priorities.size(); ++i) {
      const uint32_t capacity = degraded ? priorities[i].degraded_capacity : priorities[i].usable_capacity;
      if (!left[i] || capacity == 0) {
        continue;
      }
      const Choice choice{&priorities[i], degraded};
      first = first.value_or(choice);
      const uint32_t load = capacity * 100 / total;
      if (at < load) {
        return choice;
      }
      at -= load;
    }
  }
  return *first;
}

// False: a host of it was tried. When all were, it begins anew.
std::vector<bool> HostSet::left_priorities(const TriedHosts& tried) const {
  std::vector<bool> left(priorities.size(), true);
  const auto any_left = [&] {
    for (size_t i = 0; i < left.size(); ++i) {
      if (left[i] && priorities[i].usable_capacity + priorities[i].degraded_capacity > 0) {
        return true;
      }
    }
    return false;
  };
  const size_t whole = tried.hosts.size() - tried.hosts.size() % tried.every;
  for (size_t i = 0; i < whole; ++i) {
    if (const auto priority = priority_of(*tried.hosts[i])) {
      left[*priority] = false;
    }
    if ((i + 1) % tried.every == 0 && !any_left()) {
      left.assign(left.size(), true);
    }
  }
  return left;
}

std::optional<size_t> HostSet::priority_of(const Host& host) const {
  size_t at = 0;
  for (const model::LocalityPlan& locality : assignment->localities) {
    for (size_t i = 0; i < locality.endpoints.size(); ++i) {
      if (hosts[at++].get() == &host) {
        return locality.priority;
      }
    }
  }
  return std::nullopt;
}

HostSetPtr build_host_set(const model::LbPlan& lb, model::AssignmentPtr assignment, const HostSet* previous,
                          Checked checked) {
  auto out = std::make_shared<HostSet>();
  out->assignment = std::move(assignment);
  Builder(lb, checked, *out).build(previous);
  if (lb.subsets != nullptr) {
    out->subsets = build_subsets(*lb.subsets, lb, *out);
  }
  return out;
}

HostSetPtr build_host_subset(const model::LbPlan& lb, const HostSet& whole, const std::vector<bool>& members) {
  auto out = std::make_shared<HostSet>();
  out->assignment = whole.assignment;
  Builder builder(lb, Checked::kNo, *out);
  builder.restrict_to(members);
  builder.build(&whole);
  return out;
}

}  // namespace sluice::upstream
