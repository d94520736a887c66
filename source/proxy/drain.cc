#include "proxy/drain.h"

#include <algorithm>

namespace sluice::proxy {

bool Drain::begin(MonotonicTime now, DrainScope scope) {
  std::atomic<int64_t>& since = scope == DrainScope::kAll ? begun_ : inbound_begun_;
  int64_t never = kNever;
  return since.compare_exchange_strong(never, now.ns, std::memory_order_relaxed);
}

bool Drain::tells(const model::ListenerFrame& listener, MonotonicTime own, MonotonicTime now, Random& random) const {
  if (leaving() || (health_failed() && listener.drain_type == model::DrainType::kDefault)) {
    return true;
  }
  int64_t since = std::min(own.ns, begun_.load(std::memory_order_relaxed));
  if (listener.direction == model::TrafficDirection::kInbound) {
    since = std::min(since, inbound_begun_.load(std::memory_order_relaxed));
  }
  if (since == kNever) {
    return false;
  }
  const Duration elapsed = now - MonotonicTime{since};
  if (strategy_ == DrainStrategy::kImmediate || elapsed >= time_) {
    return true;
  }
  return static_cast<uint64_t>(std::max<int64_t>(elapsed.count(), 0)) >
         random.below(static_cast<uint64_t>(time_.count()));
}

}  // namespace sluice::proxy
