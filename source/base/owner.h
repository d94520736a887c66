// Who holds how many bytes: every slab and arena chunk is charged to an Owner, so that the admin page can say where
// memory is and tests can say that it went back.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace sluice {

// A named account of bytes. Lives as long as the process or as the thing it accounts for; registers itself in a
// process-wide list. Thread: any (relaxed atomics; charged per slab or chunk, not per byte).
class Owner {
 public:
  explicit Owner(const char* name);
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  void charge(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void release(int64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  const char* name() const { return name_; }

  struct Account {
    const char* name;
    int64_t bytes;
  };
  // All owners of the process, in the order of their creation.
  static std::vector<Account> accounts();

 private:
  const char* name_;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace sluice
