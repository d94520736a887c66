// Balance: which worker serves a connection, when all workers of a listener shall have as many (exact_balance).
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

namespace sluice::net {

// Shared by the acceptors of a listener and by whoever serves its connections. Exact means that they agree: each choice
// takes a lock, as with Envoy. Thread: any.
class Balance {
 public:
  explicit Balance(uint32_t workers) : open_(workers, 0) {}

  // The worker that has the fewest; the connection is counted there from now on. The one who asks wins a draw.
  uint32_t choose(uint32_t asking) {
    const std::lock_guard lock(mutex_);
    const auto fewest = std::min_element(open_.begin(), open_.end());
    const auto worker = open_[asking] <= *fewest ? asking : static_cast<uint32_t>(fewest - open_.begin());
    ++open_[worker];
    return worker;
  }
  // One more, wherever the fewest are.
  void came(uint32_t worker) {
    const std::lock_guard lock(mutex_);
    ++open_[worker];
  }
  void left(uint32_t worker) {
    const std::lock_guard lock(mutex_);
    --open_[worker];
  }

 private:
  std::mutex mutex_;
  std::vector<uint64_t> open_;
};

}  // namespace sluice::net
