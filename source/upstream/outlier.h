// What the answers of a host say about it: counted by all workers, judged on main (OutlierDetector).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/outlier
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "event/loop.h"

namespace sluice::model {
struct OutlierPlan;
}

namespace sluice::upstream {

class OutlierDetector;
struct Host;

// How a try ended, as far as its host is concerned.
enum class Outcome : uint8_t {
  kConnected,      // a stream was there; what comes of it is told later
  kConnectFailed,  // or the connection was lost
  kTimeout,
  kAnswered,
};

// In Envoy's order, for the event log.
enum class OutlierKind : uint8_t {
  kConsecutive5xx,
  kConsecutiveGateway,
  kSuccessRate,
  kConsecutiveLocalOrigin,
  kLocalSuccessRate,
  kFailurePercentage,
  kLocalFailurePercentage,
};

// Of one host, over all workers; only in clusters with outlier detection. Thread: any (relaxed atomics).
struct OutlierCounts {
  std::atomic<uint32_t> consecutive_5xx{0};
  std::atomic<uint32_t> consecutive_gateway{0};
  std::atomic<uint32_t> consecutive_local{0};
  // Since the last interval.
  std::atomic<uint32_t> answers{0}, good_answers{0};
  std::atomic<uint32_t> tries{0}, good_tries{0};  // of local origin
  // Percent in the interval before; negative: not known. For /clusters.
  std::atomic<double> success_rate{-1}, local_success_rate{-1};

  void reset_consecutive() {
    consecutive_5xx.store(0, std::memory_order_relaxed);
    consecutive_gateway.store(0, std::memory_order_relaxed);
    consecutive_local.store(0, std::memory_order_relaxed);
  }
};

// Takes what a worker noticed to the main thread. Outlives the detector: workers may still hold it. Thread: any.
class OutlierInbox : public std::enable_shared_from_this<OutlierInbox> {
 public:
  OutlierInbox(const model::OutlierPlan& plan, event::Loop& main, OutlierDetector& detector)
      : plan_(plan), main_(main), detector_(&detector) {}

  // `status` is the answer's (of gRPC: what its status maps to), or the one that stands for the failure. `host` has
  // counts.
  void report(Host& host, Outcome outcome, uint16_t status);
  // A good answer of the host said that it is degraded (x-envoy-degraded).
  void says_degraded(Host& host);
  // Nothing is judged any more. Thread: main.
  void close() { detector_ = nullptr; }

 private:
  void count_answer(Host& host, uint16_t status);
  void count_local(Host& host, bool good);
  void tell(Host& host, OutlierKind kind);

  const model::OutlierPlan& plan_;
  event::Loop& main_;
  OutlierDetector* detector_;  // main's
};

}  // namespace sluice::upstream
