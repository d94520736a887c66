// Invariants: what must hold of a simulated proxy after every step of the world (DESIGN 8), and at the end of a run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/owner.h"
#include "base/strings.h"
#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "stats/names_listener.h"
#include "test/sim/sim_proxy.h"
#include "test/sim/sim_traffic.h"

namespace sluice::test {

// Of a proxy made from kPlainProxy. Destroyed before its proxy stops. Thread: the simulation's.
class Invariants {
 public:
  // `buffer_limit`: per_connection_buffer_limit_bytes of listener and clusters. `clusters`: all that are connected to;
  // exchanges go to the first.
  Invariants(SimProxy& proxy, size_t buffer_limit, Violations& violations, const std::vector<std::string>& clusters)
      : proxy_(proxy), registry_(proxy.server->registry()), violations_(violations), buffer_limit_(buffer_limit) {
    http_ = registry_.add_block<stats::HttpStat>("http.main.");
    listener_ = registry_.add_block<stats::ListenerStat>("listener.10.0.0.2_8080.");
    for (const std::string& name : clusters) {
      clusters_.push_back({name, registry_.add_block<stats::ClusterStat>(cat("cluster.", name, "."))});
    }
    proxy_.world.after_step([this] { check(); });
  }
  ~Invariants() {
    proxy_.world.after_step(nullptr);
    registry_.release_block(http_);
    registry_.release_block(listener_);
    for (const Watched& cluster : clusters_) {
      registry_.release_block(cluster.stats);
    }
  }

  uint64_t http(stats::HttpStat stat) const { return registry_.value(http_, stat); }
  // What connections may hold together: a high mark and one read ahead in each direction, and the last slab of each
  // part rounded up; beside what the pools keep for reuse.
  static int64_t buffered() {
    int64_t bytes = 0;
    for (const Owner::Account& account : Owner::accounts()) {
      bytes += std::string_view(account.name) == "slabs" ? account.bytes : 0;
    }
    return bytes;
  }

  void check() {
    using stats::ClusterStat;
    using stats::HttpStat;
    const uint64_t cx = http(HttpStat::kDownstreamCxActive);
    const uint64_t rq = http(HttpStat::kDownstreamRqActive);
    const uint64_t upstream_cx = sum(ClusterStat::kUpstreamCxActive);
    const uint64_t upstream_rq = registry_.value(clusters_.front().stats, ClusterStat::kUpstreamRqActive);
    violations_.expect(http(HttpStat::kDownstreamCxTotal) - http(HttpStat::kDownstreamCxDestroy) == cx,
                       "created - destroyed != live connections");
    violations_.expect(registry_.value(listener_, stats::ListenerStat::kDownstreamCxActive) == cx,
                       "the listener counts other connections than the connection manager");
    violations_.expect(static_cast<int64_t>(rq) >= 0 && rq <= cx, "more exchanges than connections");
    violations_.expect(static_cast<int64_t>(upstream_rq) >= 0 && upstream_rq <= rq,
                       "more upstream streams than exchanges");
    for (const auto& cluster : proxy_.server->shared_clusters()) {
      for (const Watched& watched : clusters_) {
        if (cluster->plan->name == watched.name) check_leases(*cluster, watched);
      }
    }
    check_bytes();
    const int64_t kept = 4 << 20;
    const int64_t each = static_cast<int64_t>(2 * (buffer_limit_ + 128 * 1024));
    violations_.expect(buffered() <= kept + each * static_cast<int64_t>(cx + upstream_cx),
                       "more bytes buffered than allowed");
  }

  // Nobody is there any more and nothing is under way.
  void expect_quiet() {
    using stats::ClusterStat;
    using stats::HttpStat;
    violations_.expect(http(HttpStat::kDownstreamCxActive) == 0, "connections are left");
    violations_.expect(http(HttpStat::kDownstreamRqActive) == 0, "exchanges are left");
    violations_.expect(sum(ClusterStat::kUpstreamRqActive) == 0, "upstream streams are left");
    violations_.expect(sum(ClusterStat::kUpstreamRqPendingActive) == 0, "requests wait in a pool");
    violations_.expect(buffered() <= 4 << 20, "buffered bytes are left");
  }

 private:
  struct Watched {
    std::string name;
    stats::BlockId stats;
  };

  uint64_t sum(stats::ClusterStat stat) const {
    uint64_t out = 0;
    for (const Watched& cluster : clusters_) {
      out += registry_.value(cluster.stats, stat);
    }
    return out;
  }
  // What the counters say went in and out is what the wires took and gave.
  void check_bytes() {
    using stats::ClusterStat;
    using stats::HttpStat;
    const SimNetwork::Moved clients = proxy_.platform.accepted();
    const SimNetwork::Moved origins = proxy_.platform.connected();
    violations_.expect(http(HttpStat::kDownstreamCxRxBytesTotal) == clients.read, "other bytes of clients counted");
    violations_.expect(http(HttpStat::kDownstreamCxTxBytesTotal) == clients.written, "other bytes to clients counted");
    violations_.expect(sum(ClusterStat::kUpstreamCxRxBytesTotal) == origins.read, "other bytes of origins counted");
    violations_.expect(sum(ClusterStat::kUpstreamCxTxBytesTotal) == origins.written, "other bytes to origins counted");
  }
  // Leases = active streams, in the cluster's counters, its breakers and its hosts.
  void check_leases(const upstream::ClusterShared& cluster, const Watched& watched) {
    using stats::ClusterStat;
    using upstream::Resource;
    const uint64_t upstream_cx = registry_.value(watched.stats, ClusterStat::kUpstreamCxActive);
    const uint64_t upstream_rq = registry_.value(watched.stats, ClusterStat::kUpstreamRqActive);
    uint64_t host_cx = 0;
    uint64_t host_rq = 0;
    for (const auto& host : cluster.hosts()->hosts) {
      host_cx += host->state.cx_active.load(std::memory_order_relaxed);
      host_rq += host->state.rq_active.load(std::memory_order_relaxed);
    }
    // Hosts that left the cluster in the middle of something are not in the set any more.
    const bool some_left = registry_.value(cluster.member_stats, stats::ClusterMemberStat::kMembershipChange) > 1;
    violations_.expect(host_rq == upstream_rq || (some_left && host_rq < upstream_rq),
                       "the hosts count other streams than the cluster");
    violations_.expect(host_cx == upstream_cx || (some_left && host_cx < upstream_cx),
                       "the hosts count other connections than the cluster");
    violations_.expect(cluster.breakers.in_use(Resource::kRequests, 0) == upstream_rq, "leases != active streams");
    violations_.expect(cluster.breakers.in_use(Resource::kConnections, 0) == upstream_cx,
                       "the breakers count other connections than there are");
    violations_.expect(cluster.breakers.in_use(Resource::kPending, 0) ==
                           registry_.value(watched.stats, ClusterStat::kUpstreamRqPendingActive),
                       "the breakers count other waiting requests than there are");
  }

  SimProxy& proxy_;
  stats::Registry& registry_;
  Violations& violations_;
  const size_t buffer_limit_;
  stats::BlockId http_, listener_;
  std::vector<Watched> clusters_;
};

}  // namespace sluice::test
