// SimWorld: virtual time and the order of everything that happens in one simulation.
//
// One thread runs all: proxies, their workers, clients, origins. An event is due at a time; the world takes the
// earliest, sets the clock to it and runs it. Events of one time run in an order that the seed decides. So one number,
// the seed, names a whole run, and the trace hash says whether two runs were the same.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buggify.h"
#include "base/function.h"
#include "base/time.h"
#include "test/support/sim_random.h"

namespace sluice::test {

class SimLoop;

// Outlives all loops, networks and files made on it. Thread: the simulation's only one.
class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  uint64_t seed() const { return seed_; }
  MonotonicTime now() const { return now_; }
  // Starts at 2026-01-01 00:00:00 UTC, unless another start was set.
  WallTime wall_now() const;
  void set_wall_start(WallTime start) { wall_start_ = start; }
  SimRandom& random() { return random_; }

  // Runs `event` after a delay (0 or more). Two events of equal time run in seeded order.
  void after(Duration delay, Function<void()> event);

  // Takes one event; false when nothing is left that could ever happen.
  bool step() {
    look_at_timers_ = true;
    return take_step();
  }
  // Steps until `done` (asked before each step), at most for `limit` of virtual time; returns whether it was done.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(60));
  // Steps through all that is due within `time`, then sets the clock to its end.
  void run_for(Duration time);
  // Called after every step, to check invariants.
  void after_step(Function<void()> check) { after_step_ = std::move(check); }

  // From now on until this world ends the points of base/buggify.h act, each as often as the seed says; some never.
  void buggify();
  // How often each acted.
  const std::array<uint64_t, buggify::kPoints>& buggified() const { return buggified_; }

  // Records that something happened. `what` is a literal; the numbers say to whom and how much.
  void trace(const char* what, uint64_t a = 0, uint64_t b = 0) { record(what, {}, a, b); }
  void trace_line(std::string_view text) { record("", text, 0, 0); }
  // Of everything recorded so far, with its time: equal on every run of one seed.
  uint64_t trace_hash() const { return hash_; }
  uint64_t steps() const { return steps_; }
  // The last lines (at most 1000 are kept), for the report of a failure.
  std::string last_trace(size_t lines) const;
  // Prints each line to stderr as it is recorded.
  void print_trace() { printing_ = true; }

 private:
  friend class SimLoop;
  friend class SimWire;
  friend class SimFabric;
  struct Event {
    MonotonicTime at;
    uint64_t tie;
    uint64_t sequence;
    bool outside;  // it may arm timers of any loop
    Function<void()> run;
  };
  struct Line {
    MonotonicTime at;
    uint64_t step;
    const char* what;
    std::string text;
    uint64_t a;
    uint64_t b;
  };
  static constexpr size_t kKeptLines = 1000;
  // So many events at one instant mean that somebody spins.
  static constexpr uint64_t kSpin = 10'000'000;

  static bool later(const Event& x, const Event& y);
  void record(const char* what, std::string_view text, uint64_t a, uint64_t b);
  static std::string format(const Line& line);
  void add(SimLoop& loop);
  void remove(SimLoop& loop);
  void add_event(Duration delay, bool outside, Function<void()> event);
  // For the seams: an event that arms timers in nobody's loop but (being a turn) in its own.
  void after_inside(Duration delay, Function<void()> event) { add_event(delay, false, std::move(event)); }
  bool take_step();
  void schedule_timers();
  void set_loop_times();
  bool decide(buggify::Point point);

  const uint64_t seed_;
  SimRandom random_;
  WallTime wall_start_{1'767'225'600'000'000};  // in us
  MonotonicTime now_{1'000'000'000'000};
  std::vector<Event> events_;    // a heap, the earliest in front
  std::vector<SimLoop*> loops_;  // null where one ended
  uint64_t next_sequence_ = 0;
  uint64_t steps_ = 0;
  uint64_t steps_at_now_ = 0;
  bool look_at_timers_ = true;  // somebody outside of a turn may have armed one
  Function<void()> after_step_;

  SimRandom twists_;  // of buggify points, so that they do not disturb the other draws
  std::array<uint32_t, buggify::kPoints> buggify_rates_{};  // in permille
  std::array<uint64_t, buggify::kPoints> buggified_{};

  uint64_t hash_ = 0xcbf29ce484222325;
  bool printing_ = false;
  std::vector<Line> lines_;  // a ring
  size_t next_line_ = 0;
};

}  // namespace sluice::test
