#include "base/token_bucket.h"

namespace sluice {

std::shared_ptr<TokenBucket> TokenBuckets::get(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->second;
  }
  if (by_use_.size() >= most_) {
    by_key_.erase(by_use_.back().first);
    by_use_.pop_back();
  }
  by_use_.emplace_front(key, std::make_shared<TokenBucket>(plan_));
  by_key_[key] = by_use_.begin();
  return by_use_.front().second;
}

}  // namespace sluice
