// Which turns are slow, and when hanging threads end the process.
#include "server/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Optional;

// A loop that never turns: the test says what it does.
class StuckLoop final : public event::Loop {
 public:
  StuckLoop() : Loop(MonotonicTime{0}) {}
  void begin_turn(MonotonicTime at) { slow_turns_.turn_began = at.ns; }
  void wait() { slow_turns_.turn_began = 0; }
  void turned(Duration took) { note_turn(took); }

  WallTime wall_now() const override { return {}; }
  void post(Function<void()>) override {}
  void run() override {}
  void stop() override {}

 protected:
  void wake_for_turn_end() override {}
};

class GuardTest : public testing::Test {
 protected:
  void watch(const model::WatchdogPlan& main, const model::WatchdogPlan& workers) {
    guard_.watch("main_thread", main_, main, random_);
    for (size_t i = 0; i < std::size(workers_); ++i) {
      guard_.watch("worker_" + std::to_string(i), workers_[i], workers, random_);
    }
  }
  StuckLoop main_, workers_[3];
  SeededRandom random_{1};
  Guard guard_;
  const MonotonicTime start_{1'000'000'000'000};
};

TEST_F(GuardTest, NobodyLooksUnlessThereIsALimit) {
  watch({}, {});
  EXPECT_FALSE(guard_.needed());
  main_.begin_turn(start_);
  EXPECT_EQ(guard_.verdict(start_ + 1h), std::nullopt);
}

TEST_F(GuardTest, OneThreadThatHangsIsEnough) {
  model::WatchdogPlan workers;
  workers.kill = 10s;
  watch({}, workers);
  EXPECT_EQ(guard_.interval(), 5s);
  main_.begin_turn(start_);  // has no limit
  workers_[1].begin_turn(start_ + 1s);
  EXPECT_EQ(guard_.verdict(start_ + 1s + 9999ms), std::nullopt);
  EXPECT_THAT(guard_.verdict(start_ + 11s), Optional(HasSubstr("worker_1 hangs")));
  workers_[1].wait();
  EXPECT_EQ(guard_.verdict(start_ + 1h), std::nullopt) << "a thread that waits does not hang";
  workers_[1].begin_turn(start_ + 1h);
  EXPECT_EQ(guard_.verdict(start_ + 1h + 9s), std::nullopt) << "each turn begins anew";
}

TEST_F(GuardTest, TheJitterIsAddedOnce) {
  model::WatchdogPlan main;
  main.kill = 10s;
  main.kill_jitter = 5s;
  watch(main, {});
  main_.begin_turn(start_);
  EXPECT_EQ(guard_.verdict(start_ + 9999ms), std::nullopt);
  EXPECT_NE(guard_.verdict(start_ + 15s), std::nullopt);
  EXPECT_GE(guard_.interval(), 5s);
}

TEST_F(GuardTest, SeveralThreadsThatHang) {
  model::WatchdogPlan plan;
  plan.multikill = 2s;
  plan.multikill_percent = 75;  // of four threads
  watch(plan, plan);
  EXPECT_EQ(guard_.interval(), 1s);
  main_.begin_turn(start_);
  workers_[0].begin_turn(start_);
  EXPECT_EQ(guard_.verdict(start_ + 1h), std::nullopt) << "two of four are not enough";
  workers_[2].begin_turn(start_ + (1h - 1s));
  EXPECT_EQ(guard_.verdict(start_ + 1h), std::nullopt) << "the third one may still come back";
  EXPECT_THAT(guard_.verdict(start_ + 1h + 1s), Optional(HasSubstr("3 of 4 threads hang")));
}

TEST_F(GuardTest, OfSeveralThreadsTwoAtLeast) {
  model::WatchdogPlan plan;
  plan.multikill = 2s;
  watch(plan, plan);
  workers_[0].begin_turn(start_);
  EXPECT_EQ(guard_.verdict(start_ + 1h), std::nullopt);
  workers_[1].begin_turn(start_);
  EXPECT_NE(guard_.verdict(start_ + 2s), std::nullopt);
}

TEST_F(GuardTest, SlowTurnsAreCountedByTheirLimits) {
  const event::SlowTurns& turns = main_.slow_turns();
  main_.turned(199ms);
  EXPECT_EQ(turns.misses, 0u);
  main_.turned(200ms);
  main_.turned(1s);
  EXPECT_EQ(turns.misses, 2u);
  EXPECT_EQ(turns.mega_misses, 1u);
  main_.limit_turns(0s, 10ms);
  main_.turned(10ms);
  EXPECT_EQ(turns.misses, 2u) << "zero: none is slow";
  EXPECT_EQ(turns.mega_misses, 2u);
}

}  // namespace
}  // namespace sluice::server
