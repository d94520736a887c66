// Deadlines of one loop, in a hierarchical wheel: arming and cancelling are O(1) and touch no system call.
#pragma once

#include <array>
#include <cstdint>

#include "base/function.h"
#include "base/intrusive_list.h"
#include "base/time.h"

namespace sluice::event {

class TimerWheel;
struct InWheel;

// A deadline with a callback. Owned by whoever waits; destroying or cancelling it is always safe, also inside its own
// callback. Fires at most once per arm(), never early, at the latest one tick (1 ms) after its time. Thread: its
// loop's.
class Timer : public IntrusiveNode<InWheel> {
 public:
  Timer(TimerWheel& wheel, Function<void()> callback) : wheel_(wheel), callback_(std::move(callback)) {}

  // Replaces an earlier deadline. A zero or negative delay fires in the next turn of the loop.
  void arm(Duration delay);
  void cancel() { unlink(); }
  bool armed() const { return linked(); }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Function<void()> callback_;
  int64_t due_tick_ = 0;
};

// Four levels of 256 slots of 1 ms, 256 ms, 65 s, 4.7 h. Part of a Loop. Thread: its loop's.
class TimerWheel {
 public:
  static constexpr int64_t kTickNs = 1'000'000;
  static constexpr MonotonicTime kNever{INT64_MAX};

  explicit TimerWheel(MonotonicTime start) : now_(start), tick_(start.ns / kTickNs) {}

  MonotonicTime now() const { return now_; }
  void set_now(MonotonicTime now) { now_ = now; }
  // Fires everything that is due at now(); returns how many callbacks ran.
  int run_due();
  // When run_due() should be called next: never later than the earliest deadline, perhaps a little earlier (for the
  // far levels); kNever when nothing is armed.
  MonotonicTime next_wakeup() const;
  // Called with the new earliest wake-up when arm() made it earlier.
  void on_earlier(Function<void(MonotonicTime)> callback) { on_earlier_ = std::move(callback); }

 private:
  friend class Timer;
  static constexpr int kLevels = 4;
  static constexpr int kSlots = 256;
  using Slot = IntrusiveList<Timer, InWheel>;
  struct Level {
    std::array<Slot, kSlots> slots;
    std::array<uint64_t, kSlots / 64> occupied{};  // may say yes for a slot that cancel() emptied, never no for a full one
  };

  void insert(Timer& timer);
  void cascade(int level);
  int64_t next_tick() const;
  int fire(Slot& slot);

  MonotonicTime now_;
  int64_t tick_;  // all ticks up to this one have been run
  std::array<Level, kLevels> levels_;
  Slot due_;  // armed with no delay, or due while the wheel was running
  Function<void(MonotonicTime)> on_earlier_;
  int64_t announced_ = INT64_MAX;
};

}  // namespace sluice::event
