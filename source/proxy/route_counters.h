// RouteCounters: the statistics of virtual clusters and of routes with a stat_prefix, on one worker:
// "vhost.HOST.vcluster.NAME.*" and "vhost.HOST.route.PREFIX.*".
#pragma once

#include <map>
#include <memory>
#include <string>

#include "model/route_table.h"
#include "stats/registry.h"
#include "stats/response_codes.h"
#include "upstream/worker_local.h"

namespace sluice::proxy {

// clang-format off
#define SLUICE_ROUTE_STATS(X) \
  X(kCounter, kRetry, "upstream_rq_retry") X(kCounter, kRetryLimitExceeded, "upstream_rq_retry_limit_exceeded") \
  X(kCounter, kRetryOverflow, "upstream_rq_retry_overflow") X(kCounter, kRetrySuccess, "upstream_rq_retry_success") \
  X(kCounter, kTimeout, "upstream_rq_timeout") X(kCounter, kTotal, "upstream_rq_total")
// clang-format on
SLUICE_STAT_BLOCK(RouteStat, SLUICE_ROUTE_STATS)

// Of one of them. Part of its RouteCounters. Thread: worker.
struct RouteCounter {
  stats::BlockId id;
  stats::Block<RouteStat> block;
  stats::ResponseCodes codes;
};

// Who counts one request beside its cluster; mostly nobody. Thread: its exchange's.
struct RouteCharges {
  RouteCounter* of[2] = {};  // its virtual cluster and its route

  template <typename Do>
  void each(Do&& count) const {
    for (RouteCounter* one : of) {
      if (one != nullptr) count(*one);
    }
  }
  void inc(RouteStat stat) const {
    each([stat](RouteCounter& one) { one.block.inc(stat); });
  }
};

// Part of its HttpServer. Thread: worker.
class RouteCounters {
 public:
  explicit RouteCounters(upstream::WorkerLocal& local) : local_(local) {}
  ~RouteCounters();
  RouteCounters(const RouteCounters&) = delete;
  RouteCounters& operator=(const RouteCounters&) = delete;

  // What the table names is shown from now on, at zero.
  void add(const model::RouteTable& table);
  // `cluster` may be null. Those of a table that was not added are made at their first use.
  RouteCharges charges(const model::Route& route, const model::VirtualCluster* cluster) {
    return {{cluster == nullptr ? nullptr : &counter(cluster->stats),
             route.stats.empty() ? nullptr : &counter(route.stats)}};
  }

 private:
  RouteCounter& counter(const std::string& prefix);

  upstream::WorkerLocal& local_;
  std::map<std::string, std::unique_ptr<RouteCounter>> counters_;  // by prefix
};

}  // namespace sluice::proxy
