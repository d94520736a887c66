// Limiter: the token buckets of one local rate limit: the default one, and one for each descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/token_bucket.h"
#include "model/rate_limit.h"

namespace sluice::filters::local_ratelimit {

// One of `descriptors`. Thread: any (immutable).
struct LimitPlan {
  std::vector<std::pair<std::string, std::string>> entries;  // an empty value stands for each value, with its own bucket
  TokenBucket::Plan bucket;
  bool shadow = false;  // is only counted

  bool matches(const model::Descriptor& descriptor) const;
  bool wildcard() const;
};

// Thread: any (immutable).
struct LimiterPlan {
  std::optional<TokenBucket::Plan> bucket;  // none: only descriptors limit
  std::vector<LimitPlan> limits;            // the slowest first
  size_t max_dynamic = 20;                  // values of wildcards that are remembered, each
  bool always_default = true;               // the default bucket pays also for what a descriptor lets pass
};

// Over all workers, or of one connection. Thread: any.
class Limiter {
 public:
  // `bucket` is the one that decided, as the x-ratelimit headers show it; null when nothing did.
  struct Verdict {
    bool allowed = true;
    bool shadowed = false;  // a limit that is only counted would have refused
    std::shared_ptr<const TokenBucket> bucket;
  };

  explicit Limiter(const LimiterPlan& plan);
  Verdict ask(const std::vector<model::Descriptor>& descriptors, MonotonicTime now);

 private:
  std::shared_ptr<TokenBucket> bucket_of(size_t limit, const model::Descriptor& descriptor);

  const LimiterPlan& plan_;  // outlives it
  std::shared_ptr<TokenBucket> default_;
  std::vector<std::shared_ptr<TokenBucket>> buckets_;  // parallel to the plan's limits; null: dynamic_ has them
  std::vector<std::unique_ptr<TokenBuckets>> by_value_;
};

}  // namespace sluice::filters::local_ratelimit
