// fault: delays requests, answers them with an error, and slows responses down, for a share of them.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/fault_filter
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/value.h"
#include "http/header_matcher.h"
#include "model/route_match.h"
#include "proxy/filter.h"
#include "stats/stats.h"

namespace sluice::filters::fault {

// Prefix "http.STAT_PREFIX.fault.".
// clang-format off
#define SLUICE_FAULT_STATS(X) \
  X(kCounter, kAbortsInjected, "aborts_injected") X(kGauge, kActiveFaults, "active_faults") \
  X(kCounter, kDelaysInjected, "delays_injected") X(kCounter, kFaultsOverflow, "faults_overflow") \
  X(kCounter, kResponseRlInjected, "response_rl_injected")
// clang-format on
SLUICE_STAT_BLOCK(FaultStat, SLUICE_FAULT_STATS)

// What is injected into which requests: the filter's own, or a route's in place of it. Thread: any (immutable).
struct Settings {
  // For which share of the requests. A header of the request may lower it, where headers are asked at all.
  struct Delay {
    std::optional<Duration> fixed;  // none: x-envoy-fault-delay-request says how many ms
    model::Fraction share;
  };
  struct Abort {
    std::optional<uint16_t> http_status;
    std::optional<uint32_t> grpc_status;  // neither: x-envoy-fault-abort-request or -abort-grpc-request says it
    model::Fraction share;
    std::string body;
  };
  struct ResponseRate {
    std::optional<uint64_t> kib_per_second;  // none: x-envoy-fault-throughput-response says it
    model::Fraction share;
  };

  std::optional<Delay> delay;
  std::optional<Abort> abort;
  std::optional<ResponseRate> response_rate;
  std::string upstream_cluster;               // only requests to it; empty: to any
  std::vector<std::string> downstream_nodes;  // only requests that come from one of them; empty: from any
  std::vector<http::HeaderMatcher> headers;
  uint64_t max_active = UINT64_MAX;
  Value::Map metadata;       // what an exchange with a fault gets in "envoy.filters.http.fault"
  bool caller_stats = true;  // also counters with the name of the calling cluster
};

// Thread: any (immutable).
class RouteSettings final : public model::FilterConfig {
 public:
  explicit RouteSettings(Settings all) : settings(std::move(all)) {}
  Settings settings;
};

// Thread: any. What is active is counted over all workers.
class FaultFactory final : public proxy::HttpFilterFactory {
 public:
  FaultFactory(std::string_view name, Settings settings) : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;

  const Settings& settings(const proxy::Exchange& exchange) const;
  // Exchanges with a fault now.
  std::atomic<uint64_t>& active() const { return active_; }

 private:
  std::string name_;
  Settings settings_;
  mutable std::atomic<uint64_t> active_{0};
};

}  // namespace sluice::filters::fault
