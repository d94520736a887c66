// local_ratelimit: answers 429 when the buckets of this process are empty.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/local_rate_limit_filter
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "filters/http/local_ratelimit/limiter.h"
#include "model/header_rules.h"
#include "model/rate_limit.h"
#include "model/route_match.h"
#include "proxy/filter.h"
#include "stats/stats.h"

namespace sluice::filters::local_ratelimit {

// Prefix "STAT_PREFIX.http_local_rate_limit.".
// clang-format off
#define SLUICE_LOCAL_RATE_LIMIT_STATS(X) \
  X(kCounter, kEnabled, "enabled") X(kCounter, kEnforced, "enforced") X(kCounter, kOk, "ok") \
  X(kCounter, kRateLimited, "rate_limited") X(kCounter, kShadowMode, "shadow_mode")
// clang-format on
SLUICE_STAT_BLOCK(LocalRateLimitStat, SLUICE_LOCAL_RATE_LIMIT_STATS)

// Whether the virtual host's rate_limits count beside the route's.
enum class HostLimits : uint8_t { kWhenRouteHasNone, kAlso, kNever };

// The filter's own, or a route's in place of it; with its buckets. Thread: any.
class Settings final : public model::FilterConfig, public std::enable_shared_from_this<Settings> {
 public:
  std::string stat_prefix;
  uint16_t status = 429;
  bool resource_exhausted = false;  // gRPC requests get RESOURCE_EXHAUSTED instead of UNAVAILABLE
  model::Fraction enabled, enforced;
  model::HeaderRules request_headers;   // on what would have been refused
  model::HeaderRules response_headers;  // on refusals
  uint32_t stage = 0;
  std::optional<model::RateLimits> rate_limits;  // in place of those of routes and virtual hosts
  HostLimits host_limits = HostLimits::kWhenRouteHasNone;
  bool per_connection = false;
  bool show_headers = false;  // x-ratelimit-limit, -remaining, -reset on responses
  LimiterPlan limiter;

  std::unique_ptr<Limiter> shared;  // of all connections
};

// Thread: any.
class LocalRateLimitFactory final : public proxy::HttpFilterFactory {
 public:
  LocalRateLimitFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;

  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::local_ratelimit
