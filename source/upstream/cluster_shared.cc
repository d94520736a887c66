#include "upstream/cluster_shared.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "base/strings.h"
#include "upstream/load_balancer/subsets.h"

namespace sluice::upstream {

using stats::ClusterMemberStat;
using stats::ClusterStat;

namespace {

// Which transport socket each new host got: default.total_match_count, and one counter for each of
// transport_socket_matches.
void count_socket_matches(const model::ClusterPlan& plan, const HostSet& hosts, const HostSet* before,
                          stats::Block<ClusterMemberStat> block, stats::WorkerCells& cells, stats::BlockId id) {
  std::vector<stats::Single> counters;
  for (const model::SocketMatch& match : *plan.socket_matches) {
    counters.push_back(cells.counter(cat(match.name, ".total_match_count"), id));
  }
  std::unordered_set<const Host*> known;
  if (before != nullptr) {
    for (const auto& host : before->hosts) {
      known.insert(host.get());
    }
  }
  for (const auto& host : hosts.hosts) {
    if (known.contains(host.get())) {
      continue;
    }
    const uint16_t match = host->socket_match.load(std::memory_order_relaxed);
    if (match == 0) {
      block.inc(ClusterMemberStat::kDefaultTotalMatchCount);
    } else {
      counters[match - 1u].inc();
    }
  }
}

bool fails_by_assignment(const model::EndpointPlan& endpoint) {
  return endpoint.health == model::HealthStatus::kUnhealthy || endpoint.health == model::HealthStatus::kDraining ||
         endpoint.health == model::HealthStatus::kTimeout;
}

// How many priorities have other hosts than before; their health does not count.
uint64_t changed_priorities(const HostSet& hosts, const HostSet* before) {
  if (before != nullptr && hosts.assignment == before->assignment) {
    return 0;
  }
  std::map<uint32_t, std::multiset<const Host*>> now, then;
  const auto sort = [](const HostSet& set, auto& out) {
    auto host = set.hosts.begin();
    for (const model::LocalityPlan& locality : set.assignment->localities) {
      for (size_t i = 0; i < locality.endpoints.size(); ++i) {
        out[locality.priority].insert((host++)->get());
      }
    }
  };
  sort(hosts, now);
  if (before != nullptr) {
    sort(*before, then);
  }
  uint64_t changed = 0;
  for (const auto& [priority, members] : now) {
    changed += then[priority] == members ? 0 : 1;
  }
  for (const auto& [priority, members] : then) {
    changed += now.contains(priority) || members.empty() ? 0 : 1;
  }
  return changed;
}

}  // namespace

ClusterShared::ClusterShared(model::ClusterPlanPtr the_plan, stats::Registry& the_registry, stats::WorkerCells& cells)
    : plan(std::move(the_plan)), breakers(*plan->breakers), registry(the_registry), main_cells_(cells) {
  const std::string prefix = plan->stat_prefix();
  stats = registry.add_block<ClusterStat>(prefix);
  member_stats = registry.add_block<ClusterMemberStat>(prefix);
  for (int priority = 0; priority < 2; ++priority) {
    if ((*plan->breakers)[priority].track_remaining) {
      track().remaining[priority] = registry.add_block<stats::BreakerRemainingStat>(
          cat(prefix, "circuit_breakers.", priority == 0 ? "default." : "high."));
    }
  }
  if (plan->lb.policy == model::LbPolicy::kRingHash) {
    table_stats_ = registry.add_block<stats::HashRingStat>(cat(prefix, "ring_hash_lb."));
  } else if (plan->lb.policy == model::LbPolicy::kMaglev) {
    table_stats_ = registry.add_block<stats::MaglevStat>(cat(prefix, "maglev_lb."));
  }
  main_block_ = cells.block<ClusterMemberStat>(member_stats);
  // A DNS cluster has no hosts before its first answers.
  if (plan->track_sizes) {
    track().sizes = registry.add_block<stats::SizeStat>(prefix);
  }
  if (plan->track_budgets) {
    track().budgets = registry.add_block<stats::BudgetStat>(prefix);
  }
  if (plan->track_endpoints) {
    track().endpoints = std::make_unique<EndpointStats>(*plan, registry, cells);
  }
  const bool known = plan->discovery == model::Discovery::kStatic || plan->discovery == model::Discovery::kOriginalDst;
  assign(known ? plan->assignment : model::no_endpoints());
}

ClusterShared::~ClusterShared() {
  registry.release_block(stats);
  registry.release_block(member_stats);
  if (table_stats_.valid()) registry.release_block(table_stats_);
  if (tracked == nullptr) return;
  tracked->endpoints.reset();
  for (const stats::BlockId id : {tracked->remaining[0], tracked->remaining[1], tracked->sizes, tracked->budgets}) {
    if (id.valid()) registry.release_block(id);
  }
}

ClusterShared::Tracked& ClusterShared::track() {
  if (tracked == nullptr) tracked = std::make_unique<Tracked>();
  return *tracked;
}

// A copy with the hosts that are in it no more, but that checks find well: they go when a check fails.
model::AssignmentPtr ClusterShared::with_those_that_stay(const model::AssignmentPtr& assignment) const {
  if (hosts_ == nullptr || plan->health_checks->empty() || plan->ignore_health_on_removal ||
      plan->discovery == model::Discovery::kForward) {
    return assignment;
  }
  std::multiset<std::pair<std::string, std::string>> wanted;
  for (const model::LocalityPlan& locality : assignment->localities) {
    for (const model::EndpointPlan& endpoint : locality.endpoints) {
      wanted.emplace(endpoint.address.to_string(), endpoint.extra->hostname);
    }
  }
  std::shared_ptr<model::AssignmentPlan> out;
  for (const auto& host : hosts_->hosts) {
    if (const auto found = wanted.find({host->address().to_string(), host->hostname()}); found != wanted.end()) {
      wanted.erase(found);
      continue;
    }
    if ((host->failing.load(std::memory_order_relaxed) & kActiveCheck) != 0 || fails_by_assignment(*host->plan)) {
      continue;
    }
    if (out == nullptr) {
      out = std::make_shared<model::AssignmentPlan>(*assignment);
    }
    const model::LocalityPlan& place = *host->place;
    auto locality = std::find_if(out->localities.begin(), out->localities.end(), [&](const auto& one) {
      return one.locality == place.locality && one.priority == place.priority;
    });
    if (locality == out->localities.end()) {
      locality = out->localities.insert(locality, {place.locality, place.priority, place.weight, {}});
    }
    locality->endpoints.push_back(*host->plan);
    locality->endpoints.back().removed = true;
  }
  return out == nullptr ? assignment : out;
}

void ClusterShared::assign(model::AssignmentPtr assignment) {
  assigned_ = std::move(assignment);
  assignment = with_those_that_stay(assigned_);
  const Checked checked = plan->health_checks->empty() ? Checked::kNo : Checked::kYes;
  publish(build_host_set(plan->lb, std::move(assignment), hosts_.get(), checked));
  if (on_members_ != nullptr) {
    (*on_members_)();
  }
}

void ClusterShared::refresh() { publish(build_host_set(plan->lb, hosts_->assignment, hosts_.get())); }

void ClusterShared::watch_outliers(std::shared_ptr<OutlierInbox> inbox) {
  outliers = std::move(inbox);
  count_outliers(*hosts_);
}

void ClusterShared::count_outliers(const HostSet& hosts) {
  for (const std::shared_ptr<Host>& host : hosts.hosts) {
    if (host->outlier == nullptr) {
      host->outlier = std::make_unique<OutlierCounts>();
    }
  }
}

void ClusterShared::publish(HostSetPtr hosts) {
  if (outliers != nullptr) {
    count_outliers(*hosts);
  }
  if (plan->lb.reported_weights != nullptr) {
    for (const std::shared_ptr<Host>& host : hosts->hosts) {
      if (host->reported_weight == nullptr) host->reported_weight = std::make_unique<ReportedWeight>();
    }
  }
  const HostSetPtr before = hosts_;
  if (before != nullptr) {
    published_.push_back(std::move(hosts_));
  }
  const uint64_t changed = changed_priorities(*hosts, before.get());
  main_block_.add(ClusterMemberStat::kMembershipChange, changed);
  hosts_ = std::move(hosts);
  if (plan->drain_on_change && changed > 0) {
    for (const std::shared_ptr<Host>& host : hosts_->hosts) {
      host->drains.fetch_add(1, std::memory_order_relaxed);
    }
  }
  main_block_.set(ClusterMemberStat::kMembershipTotal, hosts_->counts.total);
  main_block_.set(ClusterMemberStat::kMembershipHealthy, hosts_->counts.healthy);
  main_block_.set(ClusterMemberStat::kMembershipDegraded, hosts_->counts.degraded);
  main_block_.set(ClusterMemberStat::kMembershipExcluded, hosts_->counts.excluded);
  if (plan->discovery != model::Discovery::kStatic) {
    main_block_.set(ClusterMemberStat::kMaxHostWeight, hosts_->counts.max_weight);
  }
  count_socket_matches(*plan, *hosts_, before.get(), main_block_, main_cells_, stats);
  show_tables();
  show_subsets(before.get());
  if (follower_ != nullptr) {
    follower_->on_hosts(*this);
  }
  std::erase_if(published_, [&](const HostSetPtr& old) { return old.use_count() == (old == before ? 2 : 1); });
}

void ClusterShared::show_subsets(const HostSet* former) {
  if (hosts_->subsets == nullptr) {
    return;
  }
  const auto& now = hosts_->subsets->by_id;
  const auto* before = former == nullptr || former->subsets == nullptr ? nullptr : &former->subsets->by_id;
  uint64_t kept = 0;
  for (const auto& [id, hosts] : now) {
    kept += before != nullptr && before->contains(id) ? 1 : 0;
  }
  main_block_.set(ClusterMemberStat::kLbSubsetsActive, now.size());
  main_block_.add(ClusterMemberStat::kLbSubsetsCreated, now.size() - kept);
  main_block_.add(ClusterMemberStat::kLbSubsetsRemoved, before == nullptr ? 0 : before->size() - kept);
  main_cells_.single(stats::Kind::kGauge, "lb_subsets_single_host_per_subset_duplicate", stats)
      .set(hosts_->subsets->duplicates);
}

// Of the last priority that has a table, as Envoy's gauges are.
void ClusterShared::show_tables() {
  if (!table_stats_.valid()) {
    return;
  }
  TableSizes sizes;
  for (const HostGroup& group : hosts_->groups) {
    if (group.table != nullptr) {
      sizes = group.table->sizes();
    }
  }
  if (plan->lb.policy == model::LbPolicy::kMaglev) {
    auto block = main_cells_.block<stats::MaglevStat>(table_stats_);
    block.set(stats::MaglevStat::kMinEntriesPerHost, sizes.min_per_host);
    block.set(stats::MaglevStat::kMaxEntriesPerHost, sizes.max_per_host);
  } else {
    auto block = main_cells_.block<stats::HashRingStat>(table_stats_);
    block.set(stats::HashRingStat::kSize, sizes.entries);
    block.set(stats::HashRingStat::kMinHashesPerHost, sizes.min_per_host);
    block.set(stats::HashRingStat::kMaxHashesPerHost, sizes.max_per_host);
  }
}

void ClusterShared::refresh_stats() {
  show_breakers();
  if (tracked != nullptr && tracked->endpoints != nullptr) tracked->endpoints->show(*hosts_);
}

void ClusterShared::show_breakers() {
  using stats::BreakerRemainingStat;
  using Open = ClusterMemberStat;
  struct OpenStats {
    Open cx, pending, rq, retry, pools;
  };
  constexpr OpenStats kOpen[2] = {
      {Open::kDefaultCxOpen, Open::kDefaultRqPendingOpen, Open::kDefaultRqOpen, Open::kDefaultRqRetryOpen,
       Open::kDefaultCxPoolOpen},
      {Open::kHighCxOpen, Open::kHighRqPendingOpen, Open::kHighRqOpen, Open::kHighRqRetryOpen, Open::kHighCxPoolOpen}};
  for (uint8_t priority = 0; priority < 2; ++priority) {
    const auto remaining = [&](Resource resource) {
      const uint64_t limit = breakers.limit(resource, priority);
      return limit - std::min<uint64_t>(limit, breakers.in_use(resource, priority));
    };
    // As Envoy's gauges, which change with what is taken: of a limit of 0 nothing ever is, but for connections.
    const auto open = [&](Resource resource) {
      const bool moves = breakers.limit(resource, priority) > 0 || breakers.in_use(resource, priority) > 0;
      return moves && remaining(resource) == 0 ? 1 : 0;
    };
    main_block_.set(kOpen[priority].cx, open(Resource::kConnections));
    main_block_.set(kOpen[priority].pending, open(Resource::kPending));
    main_block_.set(kOpen[priority].rq, open(Resource::kRequests));
    main_block_.set(kOpen[priority].retry, open(Resource::kRetries));
    main_block_.set(kOpen[priority].pools, open(Resource::kPools));
    if (tracked != nullptr && tracked->remaining[priority].valid()) {
      auto left = main_cells_.block<BreakerRemainingStat>(tracked->remaining[priority]);
      left.set(BreakerRemainingStat::kRemainingCx, remaining(Resource::kConnections));
      left.set(BreakerRemainingStat::kRemainingPending, remaining(Resource::kPending));
      left.set(BreakerRemainingStat::kRemainingRq, remaining(Resource::kRequests));
      left.set(BreakerRemainingStat::kRemainingRetries, remaining(Resource::kRetries));
      const uint64_t pools = breakers.in_use(Resource::kPools, priority);
      const uint64_t most = (*plan->breakers)[priority].max_connection_pools;
      left.set(BreakerRemainingStat::kRemainingCxPools, most - std::min(most, pools));
    }
  }
}

}  // namespace sluice::upstream
