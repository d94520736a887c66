// ClusterPlan: one upstream service as the configuration describes it, compiled.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "http/codec.h"
#include "model/origin.h"
#include "net/address.h"

namespace sluice::model {

enum class HealthStatus : uint8_t { kUnknown, kHealthy, kUnhealthy, kDraining, kTimeout, kDegraded };

// Immutable. Thread: any.
struct EndpointPlan {
  net::Address address;
  std::string hostname;
  uint32_t weight = 1;
  uint32_t priority = 0;
  std::string region, zone, sub_zone;
  HealthStatus health = HealthStatus::kUnknown;
};

// One limit set of circuit_breakers.thresholds; Envoy's defaults.
struct BreakerLimits {
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
};

enum class Discovery : uint8_t { kStatic, kStrictDns, kLogicalDns, kEds, kOriginalDst };
enum class LbPolicy : uint8_t { kRoundRobin, kLeastRequest, kRandom };

// Immutable, shared by all workers. Thread: any.
struct ClusterPlan {
  std::string name;
  std::string observable_name;  // alt_stat_name or name: what logs and headers show
  std::string stat_name;        // the same with ':' as '_': in the names of stats
  Discovery discovery = Discovery::kStatic;
  LbPolicy lb_policy = LbPolicy::kRoundRobin;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::hours(1);  // 0: none
  uint32_t max_requests_per_connection = 0;       // 0: no limit
  uint32_t buffer_limit = 1024 * 1024;            // per_connection_buffer_limit_bytes
  std::array<BreakerLimits, 2> breakers;          // by routing priority: default, high
  http::CodecOptions codec;
  std::vector<EndpointPlan> endpoints;
  Origin origin;
};

using ClusterPlanPtr = std::shared_ptr<const ClusterPlan>;

}  // namespace sluice::model
