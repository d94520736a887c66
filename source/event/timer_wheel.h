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
// callback. Fires at most once per arm(), never early, at the latest one tick (1 ms) after its time, when its loop is on
// time (a UvLoop sleeps in whole milliseconds, which can add one more). Thread: its loop's.
class Timer : public IntrusiveNode<InWheel> {
 public:
  Timer(TimerWheel& wheel, Function<void()> callback) : wheel_(wheel), callback_(std::move(callback)) {}
  ~Timer() {
    if (gone_ != nullptr) {
      *gone_ = true;
    }
  }

  // Replaces an earlier deadline. A zero or negative delay fires soon: never inside arm(), but perhaps still in this
  // turn of the loop; armed so inside a timer's callback, in the next turn.
  void arm(Duration delay);
  void cancel() { unlink(); }
  bool armed() const { return linked(); }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Function<void()> callback_;
  int64_t due_tick_ = 0;
  bool* gone_ = nullptr;  // set while the callback runs: where to say that the timer was destroyed
};

// Four levels of 256 slots of 1 ms, 256 ms, 65 s, 4.7 h. Part of a Loop, which sets the time, calls run_due() in every
// turn and sleeps no longer than until next_wakeup(). Thread: its loop's.
class TimerWheel {
 public:
  static constexpr int64_t kTickNs = 1'000'000;
  static constexpr MonotonicTime kNever{INT64_MAX};

  explicit TimerWheel(MonotonicTime start) : now_(start), tick_(start.ns / kTickNs) {}

  MonotonicTime now() const { return now_; }
  // Time never goes back.
  void set_now(MonotonicTime now) { now_ = now; }
  // Fires everything that is due at now(), in the order of the deadlines' ticks; returns how many callbacks ran. Costs
  // two compares when nothing can be due.
  int run_due();
  // When run_due() should be called next: never later than the earliest deadline; may be earlier (a deadline of the
  // far levels, or one that was cancelled meanwhile); kNever when nothing is armed. A load.
  MonotonicTime next_wakeup() const {
    return next_tick_ == INT64_MAX ? kNever : MonotonicTime{next_tick_ * kTickNs};
  }

 private:
  friend class Timer;
  static constexpr int kLevels = 4;
  static constexpr int kSlots = 256;
  using Slot = IntrusiveList<Timer, InWheel>;
  struct Level {
    std::array<Slot, kSlots> slots;
    // May say yes for a slot that cancel() emptied, never no for a full one.
    std::array<uint64_t, kSlots / 64> occupied{};
  };

  void insert(Timer& timer);
  void cascade(int level);
  int64_t find_next_tick() const;
  int fire(Slot& slot);

  MonotonicTime now_;
  int64_t tick_;  // all ticks up to this one have been run
  std::array<Level, kLevels> levels_;
  Slot soon_;                      // armed without a delay
  int64_t next_tick_ = INT64_MAX;  // nothing can be due before this tick
};

}  // namespace sluice::event
