// Slot: one piece of configuration that is replaced while requests run, such as the route table of an rds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace sluice::model {

// Readers keep what they read last and look only at a number to know that it is still the newest: a request costs one
// load of a line that is written at a change only. Owned by the plans that use it. Thread: main publishes, any reads.
template <typename T>
class Slot {
 public:
  using Pointer = std::shared_ptr<const T>;
  // Of one reader. Thread: the reader's.
  struct Held {
    Pointer value;
    uint64_t generation = 0;
  };

  void publish(Pointer value) {
    value_.store(std::move(value), std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
  }
  // Null: there is none yet.
  const Pointer& read(Held& held) const {
    if (const uint64_t now = generation_.load(std::memory_order_acquire); now != held.generation) {
      held = {value_.load(std::memory_order_acquire), now};
    }
    return held.value;
  }
  Pointer read() const { return value_.load(std::memory_order_acquire); }
  bool filled() const { return generation_.load(std::memory_order_relaxed) != 0; }

 private:
  std::atomic<uint64_t> generation_{0};
  std::atomic<Pointer> value_;
};

}  // namespace sluice::model
