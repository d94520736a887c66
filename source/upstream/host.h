// Host: one endpoint of a cluster. Its plan is immutable; its state is shared by all workers.
#pragma once

#include <atomic>
#include <cstdint>

#include "model/cluster_plan.h"

namespace sluice::upstream {

// Counts of one endpoint, over all workers; what /clusters shows. Thread: any (relaxed atomics).
struct HostState {
  std::atomic<uint32_t> cx_active{0};
  std::atomic<uint64_t> cx_total{0};
  std::atomic<uint64_t> cx_connect_fail{0};
  std::atomic<uint32_t> rq_active{0};
  std::atomic<uint64_t> rq_total{0};
  std::atomic<uint64_t> rq_success{0};
  std::atomic<uint64_t> rq_error{0};
  std::atomic<uint64_t> rq_timeout{0};

  template <typename T>
  static void inc(std::atomic<T>& count) { count.fetch_add(1, std::memory_order_relaxed); }
  template <typename T>
  static void dec(std::atomic<T>& count) { count.fetch_sub(1, std::memory_order_relaxed); }
};

// Owned by its ClusterShared. Thread: any.
struct Host {
  const model::EndpointPlan* plan;
  HostState state;

  const net::Address& address() const { return plan->address; }
  bool healthy() const {
    return plan->health != model::HealthStatus::kUnhealthy && plan->health != model::HealthStatus::kDraining &&
           plan->health != model::HealthStatus::kTimeout;
  }
};

}  // namespace sluice::upstream
