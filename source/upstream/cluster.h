// Cluster: a worker's view of one upstream service, over what all workers share of it.
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
#include "upstream/breakers.h"
#include "upstream/forward_hosts.h"
#include "upstream/goodbye_inbox.h"
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

class NameLookups;  // upstream/dns_cache.h

class ClusterShared;

// Hands the hosts of clusters on to the workers. Outlives the clusters that it follows. Thread: main.
class HostsFollower {
 public:
  // cluster.hosts() are others than before.
  virtual void on_hosts(ClusterShared& cluster) = 0;

 protected:
  ~HostsFollower() = default;
};

// Plan, hosts, limits and names of one cluster. Made on main, shared by the workers, lives until the last of them lets
// go; release() gives its stats back. Thread: any, but for what is main's.
class ClusterShared {
 public:
  // `cells` are main's.
  ClusterShared(model::ClusterPlanPtr plan, stats::Registry& registry, stats::WorkerCells& cells);
  ~ClusterShared();

  const model::ClusterPlanPtr plan;
  Breakers breakers;
  stats::Registry& registry;
  stats::BlockId stats;  // of requests and connections
  stats::BlockId member_stats;
  stats::BlockId remaining_stats[2];       // by priority, where track_remaining is set
  stats::BlockId size_stats;               // where track_sizes is set
  stats::BlockId budget_stats;             // where track_budgets is set
  std::shared_ptr<OutlierInbox> outliers;  // null: nobody asks
  std::shared_ptr<GoodbyeInbox> goodbyes;  // null: its hosts are not checked; set before any worker has the cluster
  std::shared_ptr<NameLookups> lookups;    // kForward: who finds its hosts; set before any worker has the cluster

  // ---- main
  // The endpoints from now on: static ones, the answers of DNS, an assignment of EDS. The same workers' connections to
  // hosts that stay are kept, those to others drain. Hosts that checks find well stay although no assignment has them.
  void assign(model::AssignmentPtr assignment);
  // Those that stayed and are not well any more go.
  void let_go_removed() { assign(assigned_); }
  // The health of a host changed.
  void refresh();
  const HostSetPtr& hosts() const { return hosts_; }
  // Is told of each new set; null: nobody.
  void follow(HostsFollower* follower) { follower_ = follower; }
  // Is told after each assignment; of the health checker.
  void on_members(Function<void()> hook) {
    on_members_ = hook ? std::make_unique<Function<void()>>(std::move(hook)) : nullptr;
  }
  stats::Block<stats::ClusterMemberStat>& main_block() { return main_block_; }
  // From now on the workers tell how tries end. Before any worker has the cluster.
  void watch_outliers(std::shared_ptr<OutlierInbox> inbox);
  // The gauges of its circuit breakers as they are now.
  void show_breakers(stats::WorkerCells& cells);

 private:
  model::AssignmentPtr with_those_that_stay(const model::AssignmentPtr& assignment) const;
  void publish(HostSetPtr hosts);
  void count_outliers(const HostSet& hosts);
  void show_tables();
  void show_subsets(const HostSet* former);

  stats::WorkerCells& main_cells_;
  stats::Block<stats::ClusterMemberStat> main_block_;
  stats::BlockId table_stats_;
  HostSetPtr hosts_;
  model::AssignmentPtr assigned_;      // without the hosts that only stay
  std::vector<HostSetPtr> published_;  // main frees them, not a worker
  HostsFollower* follower_ = nullptr;
  std::unique_ptr<Function<void()>> on_members_;
};

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

// Keeps a cluster while somebody looks at it, even when it is replaced or removed meanwhile. A plain count of its
// worker. Thread: worker.
class ClusterHandle {
 public:
  ClusterHandle() = default;
  ~ClusterHandle() { reset(nullptr); }
  ClusterHandle(const ClusterHandle&) = delete;
  ClusterHandle& operator=(const ClusterHandle&) = delete;
  ClusterHandle& operator=(Cluster* cluster) {
    reset(cluster);
    return *this;
  }

  Cluster* get() const { return cluster_; }
  Cluster* operator->() const { return cluster_; }
  Cluster& operator*() const { return *cluster_; }
  bool operator==(std::nullptr_t) const { return cluster_ == nullptr; }

 private:
  void reset(Cluster* cluster) {
    if (cluster != nullptr) cluster->hold();
    if (Cluster* old = std::exchange(cluster_, cluster); old != nullptr) old->let_go();
  }

  Cluster* cluster_ = nullptr;
};

// The clusters of one worker by name. What a worker needs of a cluster is made when it asks for it first: a cluster
// that has no traffic costs its entry. Thread: worker.
class ClusterSet {
 public:
  explicit ClusterSet(WorkerLocal& local) : local_(local) {}
  // For zone aware routing; before any request. `cluster`: cluster_manager.local_cluster_name.
  void set_own_zone(std::string cluster, model::Locality locality) {
    own_cluster_ = std::move(cluster);
    own_zone_.locality = std::move(locality);
  }
  // As it is now; null: zones do not count.
  const OwnZone* own_zone();

  // Takes the place of one of the same name. `hosts`: its hosts now, for main changes them.
  void add(std::shared_ptr<ClusterShared> shared, HostSetPtr hosts);
  // Unless another one has its name by now.
  void remove(const std::shared_ptr<ClusterShared>& shared);
  // Null when there is none of that name.
  Cluster* find(std::string_view name);
  // Where find() looks for those that were not added: what is asked for by few keeps no entry for the others.
  using Source = Function<std::shared_ptr<ClusterShared>(std::string_view name)>;
  void take_from(Source source) { source_ = std::move(source); }
  bool has(std::string_view name) const { return clusters_.contains(name); }
  void update(const std::shared_ptr<ClusterShared>& shared, HostSetPtr hosts);
  void clear() {
    clusters_.clear();
    retired_.clear();
  }

 private:
  struct Entry {
    std::shared_ptr<ClusterShared> shared;
    HostSetPtr hosts;                  // until `cluster` has them
    std::unique_ptr<Cluster> cluster;  // null: nobody asked yet
  };
  friend class Cluster;
  void retire(std::unique_ptr<Cluster> cluster);
  void bury(Cluster& cluster);

  WorkerLocal& local_;
  std::string own_cluster_;  // empty: zones do not count
  OwnZone own_zone_;
  Source source_;
  std::unordered_map<std::string_view, Entry> clusters_;  // the names are those of the plans
  std::vector<std::unique_ptr<Cluster>> retired_;
};

}  // namespace sluice::upstream
