// Drain: whether clients are to be told to go with their next answer, and what the health checks of others are told.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/random.h"
#include "base/time.h"
#include "model/listener_plan.h"

namespace sluice::proxy {

enum class DrainStrategy : uint8_t { kGradual, kImmediate };  // --drain-strategy
enum class DrainScope : uint8_t { kAll, kInbound };           // kInbound: listeners with traffic_direction INBOUND

// One for each server. A drain lasts for --drain-time-s: gradually means that the share of answers that tell their
// clients to go rises from none to all in that time, so that they do not come back all at once elsewhere.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/operations/draining
// Thread: configure(), begin(), leave(), set_health_failed() main; the rest any (relaxed atomics).
class Drain {
 public:
  // Before the workers run.
  void configure(DrainStrategy strategy, Duration time) {
    strategy_ = strategy;
    time_ = time;
  }
  // A second drain of a scope changes nothing; false then.
  bool begin(MonotonicTime now, DrainScope scope);
  // The process ends: every answer from now on.
  void leave() { leaving_.store(true, std::memory_order_relaxed); }
  // /healthcheck/fail and /healthcheck/ok.
  void set_health_failed(bool failed) { health_failed_.store(failed, std::memory_order_relaxed); }

  bool health_failed() const { return health_failed_.load(std::memory_order_relaxed); }
  bool leaving() const { return leaving_.load(std::memory_order_relaxed); }
  static constexpr int64_t kNever = INT64_MAX;
  // Asked once for each answer: it is the last one of its connection. A listener with drain_type MODIFY_ONLY does not
  // mind failed health checks. `own`: when the drain of its
  // chain alone began, or kNever.
  bool tells(const model::ListenerFrame& listener, MonotonicTime own, MonotonicTime now, Random& random) const;

 private:
  DrainStrategy strategy_ = DrainStrategy::kGradual;
  Duration time_{0};
  std::atomic<int64_t> begun_{kNever};          // when, of all listeners
  std::atomic<int64_t> inbound_begun_{kNever};  // of the inbound ones
  std::atomic<bool> leaving_{false};
  std::atomic<bool> health_failed_{false};
};

}  // namespace sluice::proxy
