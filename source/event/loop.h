// Loop: one thread's time, timers, posted work, and the one place where things are destroyed later. A seam: UvLoop
// runs it on libuv, SimLoop in virtual time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/function.h"
#include "base/time.h"
#include "event/timer_wheel.h"

namespace sluice::event {

// What may be destroyed later by a loop. Thread: its loop's.
class Deferred {
 public:
  virtual ~Deferred() = default;
};

// Turns that took too long: what waited behind them waited too. The names and limits are those of Envoy's watchdog.
// Written by the loop's thread. Thread: any.
struct SlowTurns {
  Duration miss = std::chrono::milliseconds(200);  // so long is too long; zero: nothing is
  Duration mega_miss = std::chrono::seconds(1);
  std::atomic<uint64_t> misses{0};
  std::atomic<uint64_t> mega_misses{0};
  std::atomic<int64_t> turn_began{0};  // of the turn that runs now, in ns; 0 while the loop waits
};

// A turn of a loop: its events and due timers run, then posted work, then what registered for the end of the turn,
// then deferred destruction. Everything but post() and stop() belongs to the loop's own thread. Thread: worker or main.
class Loop {
 public:
  virtual ~Loop() = default;

  // Time at the start of this turn (monotonic; wall_now() for logs and headers).
  MonotonicTime now() const { return wheel_.now(); }
  virtual WallTime wall_now() const = 0;
  // For Timer members: `Timer timer_{loop.timers(), [this] { ... }}`.
  TimerWheel& timers() { return wheel_; }

  // Runs `work` on this loop's thread, never inside post(): at the end of this turn or of a later one. Work posted by
  // one thread keeps its order. Thread: any.
  virtual void post(Function<void()> work) = 0;

  // Destroys the object at the end of this turn. The only legal way to destroy something that may be on the call
  // stack.
  void destroy_later(std::unique_ptr<Deferred> object) {
    dying_.push_back(std::move(object));
    wake_for_turn_end();
  }

  // Called at the end of every turn, before deferred destruction; for writing out what the turn produced.
  void at_turn_end(Function<void()> hook) { turn_end_ = std::move(hook); }

  const SlowTurns& slow_turns() const { return slow_turns_; }
  // What counts as a slow turn. Before it runs.
  void limit_turns(Duration miss, Duration mega_miss) {
    slow_turns_.miss = miss;
    slow_turns_.mega_miss = mega_miss;
  }

  // Runs until stop(). Turns go on until then even when nothing is left to wait for.
  virtual void run() = 0;
  // Makes run() return after the current turn. Thread: any.
  virtual void stop() = 0;

 protected:
  explicit Loop(MonotonicTime start) : wheel_(start) {}

  // Makes sure that a turn ends soon even when this was called outside of one.
  virtual void wake_for_turn_end() = 0;
  void finish_turn();
  // The turn that just ended took so long.
  void note_turn(Duration took);

  TimerWheel wheel_;
  SlowTurns slow_turns_;

 private:
  Function<void()> turn_end_;
  std::vector<std::unique_ptr<Deferred>> dying_;
  std::vector<std::unique_ptr<Deferred>> batch_;  // kept for its memory
};

}  // namespace sluice::event
