// Breakers: the circuit-breaker counts of one cluster, shared by all workers, so that a limit is exact over them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "model/cluster_plan.h"

namespace sluice::upstream {

enum class Resource : uint8_t { kConnections, kPending, kRequests, kRetries, kPools, kCount };

// One atomic for each priority and resource, changed when a lease is taken or given back. Thread: any.
class Breakers {
 public:
  // `limits` belong to the cluster's plan.
  explicit Breakers(const std::array<model::BreakerLimits, 2>& limits) : limits_(limits) {}

  // False, and nothing taken, when the limit is reached.
  bool try_take(Resource resource, uint8_t priority) {
    std::atomic<uint32_t>& count = at(resource, priority);
    if (count.fetch_add(1, std::memory_order_relaxed) < limit(resource, priority)) {
      return true;
    }
    count.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  // Takes beyond the limit.
  void take(Resource resource, uint8_t priority) { at(resource, priority).fetch_add(1, std::memory_order_relaxed); }
  void give_back(Resource resource, uint8_t priority) {
    at(resource, priority).fetch_sub(1, std::memory_order_relaxed);
  }

  uint32_t in_use(Resource resource, uint8_t priority) const {
    return counts_[priority][static_cast<int>(resource)].load(std::memory_order_relaxed);
  }
  uint32_t limit(Resource resource, uint8_t priority) const {
    const model::BreakerLimits& limits = limits_[priority];
    switch (resource) {
      case Resource::kConnections:
        return limits.max_connections;
      case Resource::kPending:
        return limits.max_pending_requests;
      case Resource::kRetries:
        return limits.has_retry_budget ? retry_budget(priority) : limits.max_retries;
      case Resource::kPools:
        return static_cast<uint32_t>(std::min<uint64_t>(limits.max_connection_pools, UINT32_MAX));
      default:
        return limits.max_requests;
    }
  }

 private:
  // A share of the requests that there are now.
  uint32_t retry_budget(uint8_t priority) const {
    const model::BreakerLimits& limits = limits_[priority];
    const uint32_t requests = in_use(Resource::kRequests, priority) + in_use(Resource::kPending, priority);
    return std::max(limits.min_retry_concurrency, static_cast<uint32_t>(limits.retry_budget_percent / 100 * requests));
  }
  std::atomic<uint32_t>& at(Resource resource, uint8_t priority) {
    return counts_[priority][static_cast<int>(resource)];
  }

  const std::array<model::BreakerLimits, 2>& limits_;
  std::atomic<uint32_t> counts_[2][static_cast<int>(Resource::kCount)] = {};
};

}  // namespace sluice::upstream
