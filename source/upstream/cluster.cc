#include "upstream/cluster.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <unordered_set>

#include "base/strings.h"

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

// By what can be told of them, not by where they are in memory: so a run of the simulation can be repeated.
void in_order(std::vector<Pool*>& pools) {
  std::vector<std::pair<std::string, Pool*>> named;
  named.reserve(pools.size());
  for (Pool* pool : pools) {
    named.emplace_back(cat(pool->host().address().to_string(), " ", static_cast<int>(pool->kind().protocol), " ",
                           static_cast<int>(pool->kind().priority), " ", pool->wishes().key()),
                       pool);
  }
  std::sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::transform(named.begin(), named.end(), pools.begin(), [](const auto& each) { return each.second; });
}

// Gives stats back when it is destroyed. Thread: worker.
class HeldBlock final : public event::Deferred {
 public:
  HeldBlock(stats::Registry& registry, stats::BlockId id) : registry_(registry), id_(id) {}
  ~HeldBlock() override { registry_.release_block(id_); }

 private:
  stats::Registry& registry_;
  const stats::BlockId id_;
};

}  // namespace

ClusterShared::ClusterShared(model::ClusterPlanPtr the_plan, stats::Registry& the_registry, stats::WorkerCells& cells)
    : plan(std::move(the_plan)), breakers(*plan->breakers), registry(the_registry), main_cells_(cells) {
  const std::string prefix = plan->stat_prefix();
  stats = registry.add_block<ClusterStat>(prefix);
  member_stats = registry.add_block<ClusterMemberStat>(prefix);
  for (int priority = 0; priority < 2; ++priority) {
    if ((*plan->breakers)[priority].track_remaining) {
      remaining_stats[priority] = registry.add_block<stats::BreakerRemainingStat>(
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
    size_stats = registry.add_block<stats::SizeStat>(prefix);
  }
  if (plan->track_budgets) {
    budget_stats = registry.add_block<stats::BudgetStat>(prefix);
  }
  const bool known = plan->discovery == model::Discovery::kStatic || plan->discovery == model::Discovery::kOriginalDst;
  assign(known ? plan->assignment : model::no_endpoints());
}

ClusterShared::~ClusterShared() {
  registry.release_block(stats);
  registry.release_block(member_stats);
  for (const stats::BlockId id : remaining_stats) {
    if (id.valid()) registry.release_block(id);
  }
  for (const stats::BlockId id : {table_stats_, size_stats, budget_stats}) {
    if (id.valid()) {
      registry.release_block(id);
    }
  }
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

void ClusterShared::show_breakers(stats::WorkerCells& cells) {
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
    const auto open = [&](Resource resource) { return remaining(resource) == 0 ? 1 : 0; };
    main_block_.set(kOpen[priority].cx, open(Resource::kConnections));
    main_block_.set(kOpen[priority].pending, open(Resource::kPending));
    main_block_.set(kOpen[priority].rq, open(Resource::kRequests));
    main_block_.set(kOpen[priority].retry, open(Resource::kRetries));
    main_block_.set(kOpen[priority].pools, open(Resource::kPools));
    if (remaining_stats[priority].valid()) {
      auto left = cells.block<BreakerRemainingStat>(remaining_stats[priority]);
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

Cluster::Cluster(std::shared_ptr<ClusterShared> shared, const HostSetPtr& hosts, WorkerLocal& local, ClusterSet& set)
    : shared_(std::move(shared)),
      local_(local),
      set_(set),
      block_(local.cells.block<ClusterStat>(shared_->stats)),
      answers_(local.cells, shared_->stats),
      retry_codes_(local.cells, shared_->stats, "retry."),
      balancer_(shared_->plan->lb, shared_->breakers, local.random, local.loop, block_),
      sockets_(*shared_->plan, local) {
  if (plan().lb.subsets != nullptr) {
    subset_balancer_ = std::make_unique<SubsetBalancer>(*plan().lb.subsets, plan().lb, shared_->breakers, local.random,
                                                        local.loop, block_);
  }
  if (plan().discovery == model::Discovery::kAggregate) {
    aggregate_ = std::make_unique<Aggregate>(*plan().members, set, local.random);
  } else if (plan().discovery == model::Discovery::kForward) {
    forward_ = std::make_unique<ForwardHosts>();
  }
  if (shared_->size_stats.valid()) {
    sizes_ = local.cells.block<stats::SizeStat>(shared_->size_stats);
  }
  if (shared_->budget_stats.valid()) {
    budgets_ = local.cells.block<stats::BudgetStat>(shared_->budget_stats);
  }
  balance(hosts);
  if (plan().original_dst != nullptr) {
    original_dst_ = std::make_unique<OriginalDst>(*plan().original_dst, plan().name, local.loop,
                                                  local.cells.block<ClusterMemberStat>(shared_->member_stats),
                                                  [this] { drop_removed(); });
  }
}

Cluster::~Cluster() {
  while (RawConnection* connection = raw_connections_.front()) {
    connection->cut();
  }
  std::vector<Pool*> pools;
  for (const auto& [key, pool] : pools_) {
    pools.push_back(pool.get());
  }
  in_order(pools);
  for (Pool* pool : pools) {
    pools_.erase({&pool->host(), pool->kind()});
  }
  wished_pools_.clear();
  // Sessions that were closed above count until they are destroyed, before this.
  if (http2_stats_.valid()) {
    local_.loop.destroy_later(std::make_unique<HeldBlock>(local_.registry, http2_stats_));
  }
  if (http1_stats_.valid()) local_.registry.release_block(http1_stats_);
}

void Cluster::show_http1() {
  if (!http1_stats_.valid()) {
    http1_stats_ = local_.registry.add_block<stats::Http1Stat>(cat(plan().stat_prefix(), "http1."));
  }
}

stats::Block<stats::Http2Stat>& Cluster::http2_block() {
  if (!http2_stats_.valid()) {
    http2_stats_ = local_.registry.add_block<stats::Http2Stat>(cat(plan().stat_prefix(), "http2."));
    http2_block_ = local_.cells.block<stats::Http2Stat>(http2_stats_);
  }
  return http2_block_;
}

void Cluster::balance(HostSetPtr hosts) {
  by_address_.clear();
  if (subset_balancer_ != nullptr) {
    subset_balancer_->update(hosts);
  }
  if (forward_ != nullptr) {
    forward_->update(*hosts);
  }
  balancer_.update(std::move(hosts));
}

Chosen Cluster::choose_host(const LbRequest& request) {
  if (aggregate_ != nullptr) {
    return aggregate_->choose(request);
  }
  if (forward_ != nullptr) {
    return {this, forward_host(request.authority)};
  }
  const OwnZone* own = set_.own_zone();
  return {this, subset_balancer_ != nullptr ? subset_balancer_->choose(request, own) : balancer_.choose(request, own)};
}

Host* Cluster::host_at(const net::Address& address) {
  if (by_address_.empty()) {
    for (const std::shared_ptr<Host>& host : hosts()->hosts) {
      by_address_.emplace(host->address().to_string(), host.get());
    }
  }
  const auto found = by_address_.find(address.to_string());
  return found == by_address_.end() ? nullptr : found->second;
}

Host* Cluster::forward_host(std::string_view authority) {
  Host* host = forward_->find(ForwardName(authority, default_port()).text);
  if (host != nullptr) {
    host->used_at.store(local_.loop.now(), std::memory_order_relaxed);
  }
  return host;
}

void Cluster::update(HostSetPtr hosts) {
  balance(std::move(hosts));
  close_failed();
  drop_removed();
}

void Cluster::drop_removed() {
  std::vector<Pool*> gone;
  const auto look_at = [&gone](Pool& pool) {
    if (pool.host().removed.load(std::memory_order_relaxed)) {
      gone.push_back(&pool);
    } else {
      pool.drain_when_asked();
    }
  };
  for (const auto& [key, pool] : pools_) {
    look_at(*pool);
  }
  for (const auto& [key, pool] : wished_pools_) {
    look_at(*pool);
  }
  in_order(gone);
  for (Pool* pool : gone) {
    pool->retire();
  }
}

// TCP goes at once with its host's health; HTTP drains.
void Cluster::close_failed() {
  if (!plan().close_on_failure) {
    return;
  }
  for (RawConnection* connection = raw_connections_.front(); connection != nullptr;) {
    RawConnection* next = raw_connections_.next(*connection);
    if (connection->host().failing.load(std::memory_order_relaxed) != 0) {
      connection->cut();
    }
    connection = next;
  }
}

// Its last user is on the stack.
void Cluster::release(Pool& pool) {
  if (!pool.wishes().empty()) {
    const auto wished = wished_pools_.find({&pool.host(), pool.kind(), pool.wishes().key()});
    std::unique_ptr<Pool> last = std::move(wished->second);
    wished_pools_.erase(wished);
    local_.loop.destroy_later(std::move(last));
    check_unused();
    return;
  }
  const auto found = pools_.find({&pool.host(), pool.kind()});
  std::unique_ptr<Pool> last = std::move(found->second);
  pools_.erase(found);
  local_.loop.destroy_later(std::move(last));
  check_unused();
}

void Cluster::retire(ClusterSet& set) {
  retired_in_ = &set;
  std::vector<Pool*> pools;
  for (const auto& [host, pool] : pools_) {
    pools.push_back(pool.get());
  }
  for (const auto& [host, pool] : wished_pools_) {
    pools.push_back(pool.get());
  }
  in_order(pools);
  for (Pool* pool : pools) {
    pool->retire();
  }
  check_unused();
}

void Cluster::check_unused() {
  if (retired_in_ != nullptr && holders_ == 0 && pools_.empty() && wished_pools_.empty()) {
    std::exchange(retired_in_, nullptr)->bury(*this);
  }
}

PoolKind Cluster::kind_for(uint8_t priority, http::Protocol downstream) const {
  using model::UpstreamProtocol;
  if (plan().protocol != UpstreamProtocol::kDownstream) {
    return {plan().protocol, priority};
  }
  return {downstream == http::Protocol::kHttp2 ? UpstreamProtocol::kHttp2 : UpstreamProtocol::kHttp1, priority};
}

Pool& Cluster::pool(Host& host, PoolKind kind) {
  std::unique_ptr<Pool>& pool = pools_[{&host, kind}];
  if (pool == nullptr) {
    pool = std::make_unique<Pool>(*this, host.shared_from_this(), kind, net::TransportWishes(), local_);
  }
  return *pool;
}

Pool& Cluster::pool(Host& host, PoolKind kind, const net::TransportWishes& wishes) {
  if (wishes.empty()) {
    return pool(host, kind);
  }
  std::unique_ptr<Pool>& pool = wished_pools_[{&host, kind, wishes.key()}];
  if (pool == nullptr) {
    pool = std::make_unique<Pool>(*this, host.shared_from_this(), kind, wishes, local_);
  }
  return *pool;
}

bool Cluster::free_a_pool(const Host& host, uint8_t priority) {
  const auto free_it = [&](Pool& pool) {
    return &pool.host() == &host && pool.kind().priority == priority && pool.step_back();
  };
  return std::any_of(pools_.begin(), pools_.end(), [&](const auto& one) { return free_it(*one.second); }) ||
         std::any_of(wished_pools_.begin(), wished_pools_.end(), [&](const auto& one) { return free_it(*one.second); });
}

void Cluster::preconnect_ahead(const Pool& pool, uint8_t priority) {
  const double ratio = plan().lb.preconnect_ratio;
  if (ratio <= 1 || subset_balancer_ != nullptr || aggregate_ != nullptr || forward_ != nullptr ||
      original_dst_ != nullptr || pool.wishes().of_client != 0) {
    return;
  }
  // Counted with the request that is about to come; a few at a time, as Envoy does.
  for (int i = 0; i < 3 && demand.lacks(ratio, 1); ++i) {
    Host* next = balancer_.peek();
    if (next == nullptr || !this->pool(*next, pool.kind(), pool.wishes()).preconnect_ahead(ratio, priority)) {
      return;
    }
  }
}

uint64_t Cluster::next_connection_id() {
  static std::atomic<uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void ClusterSet::add(std::shared_ptr<ClusterShared> shared, HostSetPtr hosts) {
  const std::string_view name = shared->plan->name;
  if (const auto former = clusters_.find(name); former != clusters_.end()) {
    // Its name goes with it.
    const auto node = clusters_.extract(former);
    retire(std::move(node.mapped().cluster));
  }
  clusters_.emplace(name, Entry{std::move(shared), std::move(hosts), nullptr});
}

void ClusterSet::remove(const std::shared_ptr<ClusterShared>& shared) {
  const auto found = clusters_.find(shared->plan->name);
  if (found != clusters_.end() && found->second.shared == shared) {
    std::unique_ptr<Cluster> cluster = std::move(found->second.cluster);
    clusters_.erase(found);
    retire(std::move(cluster));
  }
}

void ClusterSet::retire(std::unique_ptr<Cluster> cluster) {
  if (cluster != nullptr) {
    Cluster& last = *cluster;
    retired_.push_back(std::move(cluster));
    last.retire(*this);
  }
}

// Something of it may be on the stack.
void ClusterSet::bury(Cluster& cluster) {
  const auto found = std::find_if(retired_.begin(), retired_.end(),
                                  [&cluster](const auto& retired) { return retired.get() == &cluster; });
  local_.loop.destroy_later(std::move(*found));
  retired_.erase(found);
}

void ClusterSet::update(const std::shared_ptr<ClusterShared>& shared, HostSetPtr hosts) {
  const auto found = clusters_.find(shared->plan->name);
  // Another cluster may have the name by now.
  if (found == clusters_.end() || found->second.shared != shared) {
    return;
  }
  if (found->second.cluster != nullptr) {
    found->second.cluster->update(std::move(hosts));
  } else {
    found->second.hosts = std::move(hosts);
  }
}

const OwnZone* ClusterSet::own_zone() {
  if (own_cluster_.empty()) {
    return nullptr;
  }
  const Cluster* cluster = find(own_cluster_);
  own_zone_.peers = cluster == nullptr ? nullptr : cluster->hosts();
  return &own_zone_;
}

Cluster* ClusterSet::find(std::string_view name) {
  auto found = clusters_.find(name);
  if (found == clusters_.end()) {
    std::shared_ptr<ClusterShared> shared = source_ ? source_(name) : nullptr;
    if (shared == nullptr) {
      return nullptr;
    }
    const std::string_view key = shared->plan->name;
    found = clusters_.emplace(key, Entry{shared, shared->hosts(), nullptr}).first;
  }
  Entry& entry = found->second;
  if (entry.cluster == nullptr) {
    entry.cluster = std::make_unique<Cluster>(entry.shared, entry.hosts, local_, *this);
    entry.hosts = nullptr;
  }
  return entry.cluster.get();
}

}  // namespace sluice::upstream
