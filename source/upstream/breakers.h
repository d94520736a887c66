// Breakers: the circuit-breaker counts of one cluster, shared by all workers, so that a limit is exact over them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "model/cluster_plan.h"

namespace sluice::upstream {

enum class Resource : uint8_t { kConnections, kPending, kRetries, kPools, kRequests };

// One atomic for each priority and resource, changed when a lease is taken or given back. That of requests also has, in
// its upper half, how many were ever taken: what budgets of retries are counted from. Thread: any.
class Breakers {
 public:
  // `limits` belong to the cluster's plan.
  explicit Breakers(const std::array<model::BreakerLimits, 2>& limits) : limits_(limits) {}

  // False, and nothing taken, when the limit is reached.
  bool try_take(Resource resource, uint8_t priority) {
    if (resource == Resource::kRequests) {
      std::atomic<uint64_t>& requests = requests_[priority];
      const auto before = static_cast<uint32_t>(requests.fetch_add(kOneRequest, std::memory_order_relaxed));
      if (before < limit(resource, priority)) return true;
      requests.fetch_sub(kOneRequest, std::memory_order_relaxed);
      return false;
    }
    std::atomic<uint32_t>& count = at(resource, priority);
    if (count.fetch_add(1, std::memory_order_relaxed) < limit(resource, priority)) {
      return true;
    }
    count.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  // Takes beyond the limit.
  void take(Resource resource, uint8_t priority) {
    if (resource == Resource::kRequests) {
      requests_[priority].fetch_add(kOneRequest, std::memory_order_relaxed);
    } else {
      at(resource, priority).fetch_add(1, std::memory_order_relaxed);
    }
  }
  void give_back(Resource resource, uint8_t priority) {
    if (resource == Resource::kRequests) {
      requests_[priority].fetch_sub(1, std::memory_order_relaxed);
    } else {
      at(resource, priority).fetch_sub(1, std::memory_order_relaxed);
    }
  }

  uint32_t in_use(Resource resource, uint8_t priority) const {
    return resource == Resource::kRequests
               ? static_cast<uint32_t>(requests_[priority].load(std::memory_order_relaxed))
               : counts_[priority][static_cast<int>(resource)].load(std::memory_order_relaxed);
  }
  // How many requests began since the start, modulo 2^32; for differences.
  uint32_t ever_begun(uint8_t priority) const {
    return static_cast<uint32_t>(requests_[priority].load(std::memory_order_relaxed) >> 32);
  }
  // retry_budget.budget_interval: the requests behind that count of ever_begun() are those of the interval.
  void begin_budget_at(uint8_t priority, uint32_t taken) {
    budget_begins_[priority].store(taken, std::memory_order_relaxed);
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
  static constexpr uint64_t kOneRequest = (uint64_t{1} << 32) + 1;

  // A share of the requests that there are now, or that began in the interval.
  uint32_t retry_budget(uint8_t priority) const {
    const model::BreakerLimits& limits = limits_[priority];
    const uint32_t requests = limits.budget_interval.count() > 0
                                  ? ever_begun(priority) - budget_begins_[priority].load(std::memory_order_relaxed)
                                  : in_use(Resource::kRequests, priority) + in_use(Resource::kPending, priority);
    return std::max(limits.min_retry_concurrency, static_cast<uint32_t>(limits.retry_budget_percent / 100 * requests));
  }
  std::atomic<uint32_t>& at(Resource resource, uint8_t priority) {
    return counts_[priority][static_cast<int>(resource)];
  }

  const std::array<model::BreakerLimits, 2>& limits_;
  std::atomic<uint64_t> requests_[2] = {};
  std::atomic<uint32_t> counts_[2][static_cast<int>(Resource::kRequests)] = {};  // of the others
  std::atomic<uint32_t> budget_begins_[2] = {};
};

}  // namespace sluice::upstream
