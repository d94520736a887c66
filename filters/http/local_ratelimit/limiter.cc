#include "filters/http/local_ratelimit/limiter.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::filters::local_ratelimit {

bool LimitPlan::matches(const model::Descriptor& descriptor) const {
  return std::equal(entries.begin(), entries.end(), descriptor.entries.begin(), descriptor.entries.end(),
                    [](const auto& wanted, const model::DescriptorEntry& entry) {
                      return wanted.first == entry.key && (wanted.second.empty() || wanted.second == entry.value);
                    });
}

bool LimitPlan::wildcard() const {
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.second.empty(); });
}

Limiter::Limiter(const LimiterPlan& plan) : plan_(plan) {
  if (plan.bucket) {
    default_ = std::make_shared<TokenBucket>(*plan.bucket);
  }
  for (const LimitPlan& limit : plan.limits) {
    const bool wildcard = limit.wildcard();
    buckets_.push_back(wildcard ? nullptr : std::make_shared<TokenBucket>(limit.bucket));
    by_value_.push_back(wildcard ? std::make_unique<TokenBuckets>(limit.bucket, plan.max_dynamic) : nullptr);
  }
}

std::shared_ptr<TokenBucket> Limiter::bucket_of(size_t limit, const model::Descriptor& descriptor) {
  if (buckets_[limit] != nullptr) {
    return buckets_[limit];
  }
  std::string value;
  for (const model::DescriptorEntry& entry : descriptor.entries) {
    append(value, entry.value, std::string_view("\0", 1));
  }
  return by_value_[limit]->get(value);
}

Limiter::Verdict Limiter::ask(const std::vector<model::Descriptor>& descriptors, MonotonicTime now) {
  Verdict verdict;
  bool matched = false;
  for (size_t i = 0; i < plan_.limits.size(); ++i) {
    const LimitPlan& limit = plan_.limits[i];
    for (const model::Descriptor& descriptor : descriptors) {
      if (!limit.matches(descriptor)) {
        continue;
      }
      matched = true;
      std::shared_ptr<TokenBucket> bucket = bucket_of(i, descriptor);
      const bool paid = bucket->take(descriptor.hits, now);
      if (!paid && limit.shadow) {
        verdict.shadowed = true;
      } else if (!paid) {
        return {.allowed = false, .shadowed = verdict.shadowed, .bucket = std::move(bucket)};
      }
      if (verdict.bucket == nullptr) {
        verdict.bucket = std::move(bucket);
      }
    }
  }
  if (default_ == nullptr || (matched && !plan_.always_default)) {
    return verdict;
  }
  uint64_t hits = 1;
  for (const model::Descriptor& descriptor : descriptors) hits = std::max(hits, descriptor.hits);
  verdict.allowed = default_->take(hits, now);
  if (!verdict.allowed || verdict.bucket == nullptr) {
    verdict.bucket = default_;
  }
  return verdict;
}

}  // namespace sluice::filters::local_ratelimit
