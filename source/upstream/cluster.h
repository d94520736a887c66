// Cluster: a worker's view of one upstream service, over what all workers share of it (cluster_shared.h).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "stats/response_codes.h"
#include "upstream/aggregate.h"
#include "upstream/answer_counters.h"
#include "upstream/cluster_shared.h"
#include "upstream/forward_hosts.h"
#include "upstream/host_set.h"
#include "upstream/load_balancer/load_balancer.h"
#include "upstream/load_balancer/subset_balancer.h"
#include "upstream/named_stats.h"
#include "upstream/original_dst.h"
#include "upstream/pool.h"
#include "upstream/raw_connection.h"
#include "upstream/transport_sockets.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

class ClusterSet;

// Owned by its worker's ClusterSet, also after it was replaced or removed: until its last pool is gone and nobody looks
// at it. Thread: worker.
class Cluster final : public event::Deferred {
 public:
  Cluster(std::shared_ptr<ClusterShared> shared, const HostSetPtr& hosts, WorkerLocal& local, ClusterSet& set);
  ~Cluster() override;

  const model::ClusterPlan& plan() const { return *shared_->plan; }
  Breakers& breakers() { return shared_->breakers; }
  stats::Block<stats::ClusterStat>& block() { return block_; }
  AnswerCounters& answers() { return answers_; }
  // An answer that nobody sees, for the request is tried again: retry.upstream_rq_*.
  void count_retried(uint16_t status) { retry_codes_.inc(status); }
  NamedStats& named_stats() { return named_stats_; }

  // How a try at a host ended; `status` is the answer's, or stands for the failure.
  void report(Host& host, Outcome outcome, uint16_t status) {
    if (host.outlier != nullptr) {
      shared_->outliers->report(host, outcome, status);
    }
  }

  // A good answer of the host said that it is degraded.
  void says_degraded(Host& host) {
    if (host.outlier != nullptr) shared_->outliers->says_degraded(host);
  }
  // What an answer reports of the host's load. False: nothing, or nobody asks.
  bool take_load_report(Host& host, const http::HeaderMap& fields) {
    return host.reported_weight != nullptr &&
           upstream::take_load_report(*plan().lb.reported_weights, host, fields, local_.loop.now());
  }
  // An answer of the host said that it goes; its checks bring it back.
  void says_goodbye(Host& host) {
    if (shared_->goodbyes != nullptr) shared_->goodbyes->tell(host);
  }

  const HostSetPtr& hosts() const { return balancer_.hosts(); }
  // The host of this address, whatever its health is; null: there is none. O(1), but for the first time after an
  // update.
  Host* host_at(const net::Address& address);
  // No host: none is healthy.
  Chosen choose_host(const LbRequest& request);
  // In a priority of hosts().
  Host* choose_in(const HostSet::Choice& choice, const LbRequest& request) {
    return subset_balancer_ != nullptr ? subset_balancer_->choose(request, nullptr)
                                       : balancer_.choose_in(choice, request);
  }
  // Of an ORIGINAL_DST cluster, in place of choose_host(). Null: nothing says where to go.
  Host* host_for(const Wanted& wanted) { return original_dst_->host(wanted); }
  // Of a dynamic forward proxy: the host of this authority; null: it was not looked up yet.
  Host* forward_host(std::string_view authority);
  // The port of an authority that has none.
  uint16_t default_port() const {
    return plan().transport_socket != nullptr && plan().transport_socket->is_tls() ? 443 : 80;
  }
  // track_cluster_stats; false: not asked for.
  stats::Block<stats::SizeStat>& sizes() { return sizes_; }
  stats::Block<stats::BudgetStat>& budgets() { return budgets_; }
  // Whether a choice depends on the hash of a request.
  bool hashes() const { return plan().lb.hashes(); }
  // The pool of a host of this cluster, made at its first use. A user that goes on after its stream holds a PoolPin.
  // Requests of HIGH priority have connections of their own, and so has each protocol.
  Pool& pool(Host& host, PoolKind kind);
  // The same for connections with wishes of their own; one pool for each.
  Pool& pool(Host& host, PoolKind kind, const net::TransportWishes& wishes);
  // `downstream`: what the client speaks, for clusters that do as it does.
  PoolKind kind_for(uint8_t priority, http::Protocol downstream) const;
  // Of its HTTP/2 connections; there from the first one on.
  stats::Block<stats::Http2Stat>& http2_block();
  // Those of its HTTP/1 connections are shown from now on; nothing counts there.
  void show_http1();
  // What wraps the connections to a host; null: nothing.
  net::TransportSocket* transport_socket(const Host& host) { return sockets_.of(host); }

  // New hosts. The pools of those that are gone take no new streams and end with their last one.
  void update(HostSetPtr hosts);
  const std::shared_ptr<ClusterShared>& shared() const { return shared_; }

  // `set` has it no more under its name: its pools take no new streams and end with their last one.
  void retire(ClusterSet& set);
  // Somebody looks at it (ClusterHandle), and does no more.
  void hold() { ++holders_; }
  void let_go() {
    if (--holders_ == 0) check_unused();
  }

  // Makes room for another pool of that host: the connections of one that has nothing to do close. False: all are busy.
  bool free_a_pool(const Host& host, uint8_t priority);
  // predictive_preconnect_ratio: a request is about to come to `pool`, and where the next ones will go is known: there
  // connections are opened ahead of need.
  void preconnect_ahead(const Pool& pool, uint8_t priority);
  Demand demand;  // of all its pools

  uint64_t next_connection_id();
  // All that there are; they end with the cluster.
  IntrusiveList<RawConnection, RawConnection>& raw_connections() { return raw_connections_; }

 private:
  void check_unused();
  void drop_removed();
  void balance(HostSetPtr hosts);
  void close_failed();

  ClusterSet* retired_in_ = nullptr;
  uint32_t holders_ = 0;
  std::shared_ptr<ClusterShared> shared_;
  WorkerLocal& local_;
  ClusterSet& set_;
  stats::Block<stats::ClusterStat> block_;
  stats::Block<stats::SizeStat> sizes_;
  stats::Block<stats::BudgetStat> budgets_;
  AnswerCounters answers_;
  stats::ResponseCodes retry_codes_;
  NamedStats named_stats_;
  friend class Pool;
  void release(Pool& pool);

  LoadBalancer balancer_;
  std::unique_ptr<SubsetBalancer> subset_balancer_;  // with lb_subset_config: instead of the other
  std::unique_ptr<OriginalDst> original_dst_;        // null unless it is ORIGINAL_DST
  std::unique_ptr<Aggregate> aggregate_;             // kAggregate, as well
  std::unique_ptr<ForwardHosts> forward_;            // kForward, as well
  stats::BlockId http1_stats_;
  stats::BlockId http2_stats_;
  stats::Block<stats::Http2Stat> http2_block_;
  std::unordered_map<std::string, Host*> by_address_;  // made when somebody asks
  using PoolKey = std::pair<Host*, PoolKind>;
  struct PoolHash {
    size_t operator()(const PoolKey& key) const {
      return std::hash<Host*>()(key.first) + static_cast<size_t>(key.second.protocol) * 2 + key.second.priority;
    }
  };
  TransportSockets sockets_;
  std::unordered_map<PoolKey, std::unique_ptr<Pool>, PoolHash> pools_;
  IntrusiveList<RawConnection, RawConnection> raw_connections_;
  std::map<std::tuple<Host*, PoolKind, std::string>, std::unique_ptr<Pool>> wished_pools_;  // by wishes too
};

}  // namespace sluice::upstream
