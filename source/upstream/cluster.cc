#include "upstream/cluster.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/strings.h"
#include "upstream/cluster_set.h"

namespace sluice::upstream {

using stats::ClusterMemberStat;
using stats::ClusterStat;

namespace {

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

Cluster::Cluster(std::shared_ptr<ClusterShared> shared, const HostSetPtr& hosts, WorkerLocal& local, ClusterSet& set)
    : shared_(std::move(shared)),
      local_(local),
      set_(set),
      block_(local.cells.block<ClusterStat>(shared_->stats)),
      answers_(local.cells, shared_->stats, set.zone()),
      retry_codes_(local.cells, shared_->stats, "retry."),
      named_stats_(local.cells, shared_->stats),
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
  if (const auto& tracked = shared_->tracked; tracked != nullptr) {
    if (tracked->sizes.valid()) sizes_ = local.cells.block<stats::SizeStat>(tracked->sizes);
    if (tracked->budgets.valid()) budgets_ = local.cells.block<stats::BudgetStat>(tracked->budgets);
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
    host->noted_at.store(local_.loop.now(), std::memory_order_relaxed);
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

}  // namespace sluice::upstream
