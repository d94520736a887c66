// TokenBucket: how often something may happen, over all threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace sluice {

// Full at its making; refills steadily, `tokens` in every `interval`. One atomic word: the time at which it was, or
// would have been, empty. Thread: any.
class TokenBucket {
 public:
  struct Plan {
    uint32_t max = 0;
    uint32_t tokens = 1;  // > 0
    Duration interval{std::chrono::seconds(1)};

    double per_second() const { return tokens / std::chrono::duration<double>(interval).count(); }
  };

  explicit TokenBucket(const Plan& plan) : plan_(plan) {}
  TokenBucket(const TokenBucket&) = delete;
  TokenBucket& operator=(const TokenBucket&) = delete;

  // All of `tokens` or nothing.
  bool take(uint64_t tokens, MonotonicTime now) {
    const double at = seconds(now);
    double empty_at = empty_at_.load(std::memory_order_relaxed);
    double wanted;
    do {
      const double from = std::max(empty_at, at - full_after());  // what would not fit has run over
      wanted = from + static_cast<double>(tokens) / plan_.per_second();
      if (wanted > at + kRounding) {
        return false;
      }
    } while (!empty_at_.compare_exchange_weak(empty_at, wanted, std::memory_order_relaxed));
    return true;
  }

  uint32_t max() const { return plan_.max; }
  uint32_t left(MonotonicTime now) const {
    const double tokens = (seconds(now) - empty_at_.load(std::memory_order_relaxed)) * plan_.per_second();
    return static_cast<uint32_t>(std::clamp(tokens + kRounding, 0.0, static_cast<double>(plan_.max)));
  }
  // Until there is a token again; zero when there is one.
  Duration until_next(MonotonicTime now) const {
    const double tokens = (seconds(now) - empty_at_.load(std::memory_order_relaxed)) * plan_.per_second();
    if (tokens + kRounding >= 1) {
      return Duration::zero();
    }
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>((1 - tokens) / plan_.per_second()));
  }
  const Plan& plan() const { return plan_; }

 private:
  static constexpr double kRounding = 1e-6;
  static double seconds(MonotonicTime time) { return static_cast<double>(time.ns) / 1e9; }
  double full_after() const { return plan_.max / plan_.per_second(); }

  const Plan plan_;
  std::atomic<double> empty_at_{-std::numeric_limits<double>::infinity()};
};

// One bucket for each of the keys that were asked for last. Thread: any.
class TokenBuckets {
 public:
  // At most `most` (> 0) are kept; the one that nobody asked for longest is forgotten, and would be full again.
  TokenBuckets(const TokenBucket::Plan& plan, size_t most) : plan_(plan), most_(most) {}

  std::shared_ptr<TokenBucket> get(const std::string& key);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<TokenBucket>>;

  const TokenBucket::Plan plan_;
  const size_t most_;
  std::mutex mutex_;
  std::list<Entry> by_use_;  // the last used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace sluice
