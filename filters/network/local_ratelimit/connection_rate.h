// ConnectionRate: how often a new connection may come: of a filter chain (the network filter), or of a listener (the
// listener filter).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/token_bucket.h"
#include "proxy/chain_server.h"
#include "runtime/key.h"
#include "stats/stats.h"

namespace sluice::filters::connection_rate {

// Prefix "local_rate_limit.NAME." or "listener_local_ratelimit.NAME.".
// clang-format off
#define SLUICE_CONNECTION_RATE_STATS(X) X(kCounter, kRateLimited, "rate_limited")
// clang-format on
SLUICE_STAT_BLOCK(RateStat, SLUICE_CONNECTION_RATE_STATS)

// Compiled configuration, with the bucket that all workers share. Thread: any.
struct Rate {
  explicit Rate(const std::optional<TokenBucket::Plan>& plan) {
    if (plan) bucket.emplace(*plan);
  }
  std::string stat_prefix;
  runtime::Flag enabled{true, nullptr};
  mutable std::optional<TokenBucket> bucket;  // none: nothing is limited
};

// A worker's part of it. Thread: worker.
class RateLocal {
 public:
  RateLocal(std::shared_ptr<const Rate> rate, const proxy::ProxyLocal& proxy)
      : rate_(std::move(rate)),
        local_(proxy.local),
        stats_(local_.registry.add_block<RateStat>(rate_->stat_prefix)),
        block_(local_.cells.block<RateStat>(stats_)) {}
  ~RateLocal() { local_.registry.release_block(stats_); }
  RateLocal(const RateLocal&) = delete;
  RateLocal& operator=(const RateLocal&) = delete;

  // False, and counted: one connection too many.
  bool admit() {
    if (!rate_->enabled.now() || !rate_->bucket || rate_->bucket->take(1, local_.loop.now())) {
      return true;
    }
    block_.inc(RateStat::kRateLimited);
    return false;
  }

 private:
  std::shared_ptr<const Rate> rate_;
  upstream::WorkerLocal& local_;
  stats::BlockId stats_;
  stats::Block<RateStat> block_;
};

}  // namespace sluice::filters::connection_rate
