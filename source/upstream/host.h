// Host: one endpoint of a cluster. Its state is shared by all workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <forward_list>
#include <memory>
#include <string>
#include <utility>

#include "model/cluster_plan.h"
#include "upstream/outlier.h"
#include "upstream/reported_weights.h"

namespace sluice::upstream {

// Counts of one endpoint, over all workers; what /clusters shows. Thread: any (relaxed atomics).
struct HostState {
  std::atomic<uint32_t> cx_active{0};
  std::atomic<uint32_t> rq_active{0};
  std::atomic<uint32_t> rq_pending{0};  // wait for one of its connections
  std::atomic<uint32_t> zone{0};        // no count, but here is room: zone_number() of its locality
  std::atomic<uint64_t> cx_total{0};
  std::atomic<uint64_t> cx_connect_fail{0};
  std::atomic<uint64_t> rq_total{0};
  std::atomic<uint64_t> rq_success{0};
  std::atomic<uint64_t> rq_error{0};
  std::atomic<uint64_t> rq_timeout{0};

  template <typename T>
  static void inc(std::atomic<T>& count) {
    count.fetch_add(1, std::memory_order_relaxed);
  }
  template <typename T>
  static void dec(std::atomic<T>& count) {
    count.fetch_sub(1, std::memory_order_relaxed);
  }
};

// Why a host is not used, or is degraded, although its endpoint is configured as healthy; bits of Host::failing and
// Host::degraded.
enum Failing : uint8_t { kActiveCheck = 1, kOutlier = 2 };

// Found again, with its state, in each new assignment that has an endpoint of the same address and hostname. Owned by
// the host sets that it is in, and by the pools that lead to it. Thread: any, but for what is main's.
struct Host : std::enable_shared_from_this<Host> {
  Host(net::Address the_address, std::string the_hostname) : first_(std::move(the_address)) {
    if (!the_hostname.empty()) hostname_.edit() = std::move(the_hostname);
  }

  static constexpr MonotonicTime kNever{INT64_MIN};

  HostState state;
  std::atomic<uint8_t> failing{0};        // Failing bits
  std::atomic<bool> removed{false};       // in no assignment any more: its pools drain
  std::atomic<uint16_t> socket_match{0};  // EndpointPlan::socket_match
  std::atomic<uint8_t> degraded{0};       // who says so; Failing bits
  std::atomic<bool> canary{false};        // EndpointPlan::canary
  std::atomic<model::HealthStatus> assigned{model::HealthStatus::kUnknown};  // EndpointPlan::health
  std::atomic<bool> has_metadata{false};
  std::atomic<MetadataPtr> metadata;       // EndpointPlan::metadata; look at it only when there are any
  std::atomic<net::AddressesPtr> others;   // tried when address() does not answer; look at it only when there are any
  std::unique_ptr<OutlierCounts> outlier;  // set on main before a worker sees the host; null: not watched
  std::unique_ptr<ReportedWeight> reported_weight;  // the same; null: the weight is its endpoint's

  std::atomic<uint32_t> drains{0};  // how often its connections were to go
  bool check_pending = false;       // main: it was never checked
  bool check_timed_out = false;     // main: the last check did
  std::atomic<bool> has_others{false};
  bool says_goodbye = false;  // main: x-envoy-immediate-health-check-fail: it does not even count as one that fails
  // When it was new, or well again after failed checks: slow start counts from here. Of a dynamic forward proxy, where
  // nobody starts slowly: when its last request began.
  std::atomic<MonotonicTime> noted_at{kNever};
  // What the last assignment and the last check say of it. Thread: main.
  const model::EndpointPlan* plan = nullptr;
  const model::LocalityPlan* place = nullptr;
  struct Reported {
    uint64_t success = 0, error = 0, total = 0;
  };
  Rare<Reported> reported;  // of HostState, by load reports

  // As /clusters and overrides see it.
  model::HealthStatus status() const {
    using model::HealthStatus;
    const HealthStatus said = assigned.load(std::memory_order_relaxed);
    if (failing.load(std::memory_order_relaxed) != 0) return HealthStatus::kUnhealthy;
    if (said == HealthStatus::kUnknown || said == HealthStatus::kHealthy) {
      return degraded.load(std::memory_order_relaxed) != 0 ? HealthStatus::kDegraded : said;
    }
    return said;
  }

  // Thread: main.
  uint32_t weight() const {
    return reported_weight != nullptr && reported_weight->in_force != 0 ? reported_weight->in_force : plan->weight;
  }
  // The endpoint's; empty of most.
  const std::string& hostname() const { return *hostname_; }
  // Where new connections go. The reference stays valid as long as the host does.
  const net::Address& address() const { return *address_.load(std::memory_order_acquire); }
  // Thread: main.
  void set_others(net::AddressesPtr addresses) {
    if (addresses == nullptr && !has_others.load(std::memory_order_relaxed)) return;
    has_others.store(addresses != nullptr, std::memory_order_relaxed);
    others.store(std::move(addresses));
  }
  // The host of a LOGICAL_DNS cluster got another address. Thread: main.
  void move_to(net::Address address) {
    const net::Address* known = first_ == address ? &first_ : nullptr;
    for (auto later = moved_.begin(); known == nullptr && later != moved_.end(); ++later) {
      known = *later == address ? &*later : nullptr;
    }
    address_.store(known != nullptr ? known : &moved_.emplace_front(std::move(address)), std::memory_order_release);
  }

 private:
  // All that it ever had: a worker may look at an old one. Thread: main.
  Rare<std::string> hostname_;
  net::Address first_;
  std::forward_list<net::Address> moved_;
  std::atomic<const net::Address*> address_{&first_};
};

}  // namespace sluice::upstream
