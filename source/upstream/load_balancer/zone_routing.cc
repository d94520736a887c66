#include "upstream/load_balancer/zone_routing.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace sluice::upstream {

using stats::ClusterStat;

namespace {

constexpr uint64_t kWhole = 10'000;

struct ByName {
  bool operator()(const model::Locality* a, const model::Locality* b) const {
    return std::tie(a->region, a->zone, a->sub_zone) < std::tie(b->region, b->zone, b->sub_zone);
  }
};
struct Members {
  size_t all = 0;
  std::vector<WeightedHost> healthy;
};
using Zones = std::map<const model::Locality*, Members, ByName>;

// The hosts of the first priority by locality. In a panic nobody knows who is healthy.
Zones zones_of(const HostSet& set) {
  Zones out;
  std::unordered_map<const Host*, const model::Locality*> places;
  size_t at = 0;
  for (const model::LocalityPlan& locality : set.assignment->localities) {
    for (size_t i = 0; i < locality.endpoints.size(); ++i) {
      places[set.hosts[at++].get()] = &locality.locality;
    }
    if (locality.priority == 0) {
      out[&locality.locality].all += locality.endpoints.size();
    }
  }
  if (set.priorities.empty() || set.priorities.front().panic || set.priorities.front().usable == PriorityHosts::kNone) {
    return out;
  }
  for (const WeightedHost& one : set.groups[set.priorities.front().usable].hosts) {
    out[places[one.host]].healthy.push_back(one);
  }
  return out;
}

uint64_t amount(const std::vector<WeightedHost>& hosts, bool by_weight) {
  if (!by_weight) {
    return hosts.size();
  }
  uint64_t sum = 0;
  for (const WeightedHost& one : hosts) {
    sum += one.weight;
  }
  return sum;
}

uint64_t amount(const Zones& zones, bool by_weight) {
  uint64_t sum = 0;
  for (const auto& [locality, members] : zones) {
    sum += amount(members.healthy, by_weight);
  }
  return sum;
}

}  // namespace

ZoneRouting::ZoneRouting(const model::LbPlan& lb, HostSetPtr hosts, const OwnZone& own,
                         stats::Block<ClusterStat> block)
    : lb_(lb), hosts_(std::move(hosts)), peers_(own.peers), block_(block) {
  block_.inc(ClusterStat::kLbRecalculateZoneStructures);
  routes_ = find_zones(own);
  if (routes_) {
    share_out();
  }
}

bool ZoneRouting::find_zones(const OwnZone& own) {
  Zones here = zones_of(*hosts_);
  if (here.size() < 2) {
    return false;
  }
  const Zones peers = zones_of(*peers_);
  const bool forced = lb_.zone_aware->force_local_size.has_value();
  if (peers.size() < 2 && !forced) {
    return false;
  }
  const auto mine = peers.find(&own.locality);
  if (mine == peers.end() || mine->second.all == 0) {
    block_.inc(ClusterStat::kLbLocalClusterNotOk);
    return false;
  }
  size_t healthy = 0;
  for (const auto& [locality, members] : here) {
    healthy += members.healthy.size();
  }
  if (healthy < lb_.zone_aware->min_cluster_size.now()) {
    block_.inc(ClusterStat::kLbZoneClusterTooSmall);
    return false;
  }
  const bool by_weight = lb_.zone_aware->by_weight;
  const uint64_t all = amount(here, by_weight);
  const uint64_t all_peers = amount(peers, by_weight);
  for (auto& [locality, members] : here) {
    Zone zone{locality, {}, nullptr};
    zone.share = all == 0 ? 0 : kWhole * amount(members.healthy, by_weight) / all;
    const auto same = peers.find(locality);
    zone.peer_share =
        same == peers.end() || all_peers == 0 ? 0 : kWhole * amount(same->second.healthy, by_weight) / all_peers;
    zone.healthy.hosts = std::move(members.healthy);
    for (const WeightedHost& one : zone.healthy.hosts) {
      zone.healthy.even = zone.healthy.even && one.weight == zone.healthy.hosts.front().weight;
    }
    const bool is_own = *locality == own.locality;
    has_own_ = has_own_ || is_own;
    zones_.insert(is_own ? zones_.begin() : zones_.end(), std::move(zone));
  }
  return true;
}

void ZoneRouting::share_out() {
  if (has_own_) {
    const Zone& own = zones_.front();
    const bool enough = lb_.zone_aware->force_local_size &&
                        own.healthy.hosts.size() >= std::max<size_t>(1, *lb_.zone_aware->force_local_size);
    all_here_ = enough || (own.share > 0 && own.share >= own.peer_share);
    part_here_ = own.peer_share > 0 ? own.share * kWhole / own.peer_share : 0;
  }
  // Other zones take in proportion to what they have above the requests of their own.
  uint64_t sum = 0;
  for (size_t i = 0; i < zones_.size(); ++i) {
    Zone& zone = zones_[i];
    if (!(i == 0 && has_own_) && zone.share > zone.peer_share) {
      sum += zone.share - zone.peer_share;
    }
    zone.room_up_to = sum;
  }
}

size_t ZoneRouting::choose_zone(Random& random) {
  if (all_here_) {
    block_.inc(ClusterStat::kLbZoneRoutingAllDirectly);
    return 0;
  }
  if (random.below(kWhole) < part_here_) {
    block_.inc(ClusterStat::kLbZoneRoutingSampled);
    return 0;
  }
  block_.inc(ClusterStat::kLbZoneRoutingCrossZone);
  const uint64_t room = zones_.back().room_up_to;
  if (room == 0) {  // rounding took it
    block_.inc(ClusterStat::kLbZoneNoCapacityLeft);
    return random.below(zones_.size());
  }
  const uint64_t at = random.below(room);
  size_t i = 0;
  while (at >= zones_[i].room_up_to) {
    ++i;
  }
  return i;
}

Host* ZoneRouting::choose(const PickRequest& request, const Breakers& breakers, Random& random,
                          const event::Loop& loop) {
  Zone& zone = zones_[choose_zone(random)];
  if (zone.healthy.hosts.empty()) {
    return nullptr;
  }
  if (zone.picker == nullptr) {
    zone.picker = make_picker(lb_, zone.healthy, breakers, random, loop);
  }
  return zone.picker->pick(request);
}

}  // namespace sluice::upstream
