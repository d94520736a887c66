// The timer wheel against a simple model, at its edges, and when callbacks change it.
#include "event/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace sluice::event {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart{123'456'789'012'345};

class TimerWheelTest : public testing::Test {
 protected:
  // Goes from wake-up to wake-up until `time` has passed; returns how many wake-ups that took.
  int pass(Duration time) {
    const MonotonicTime end = wheel_.now() + time;
    int wakeups = 0;
    while (wheel_.next_wakeup() <= end) {
      wheel_.set_now(std::max(wheel_.now(), wheel_.next_wakeup()));
      wheel_.run_due();
      ++wakeups;
    }
    wheel_.set_now(end);
    EXPECT_EQ(wheel_.run_due(), 0);
    return wakeups;
  }

  TimerWheel wheel_{kStart};
  std::string log_;
};

TEST_F(TimerWheelTest, NothingArmedNeverWakes) {
  EXPECT_EQ(wheel_.next_wakeup(), TimerWheel::kNever);
  Timer timer(wheel_, [] { FAIL(); });
  EXPECT_FALSE(timer.armed());
  timer.arm(1s);
  EXPECT_TRUE(timer.armed());
  timer.cancel();
  EXPECT_FALSE(timer.armed());
  EXPECT_LE(pass(1h), 2);  // the cancelled one may cost a wake-up, not more
  EXPECT_EQ(wheel_.next_wakeup(), TimerWheel::kNever);
}

TEST_F(TimerWheelTest, FiresOnceWithinATickOfItsTime) {
  for (const Duration delay : {1ns, 999'999ns, 1'000'000ns, 1'000'001ns}) {
    const MonotonicTime armed = wheel_.now();
    std::optional<Duration> fired;
    Timer timer(wheel_, [&] {
      EXPECT_FALSE(fired.has_value());
      fired = wheel_.now() - armed;
    });
    timer.arm(delay);
    pass(1s);
    ASSERT_TRUE(fired.has_value());
    EXPECT_GE(*fired, delay);
    EXPECT_LE(*fired, delay + 1ms);
  }
}

// Each level, its first and last place and those around, from many starting points.
TEST_F(TimerWheelTest, EdgesOfTheLevels) {
  SeededRandom random(1);
  for (int start = 0; start < 50; ++start) {
    for (const int64_t edge : {int64_t{1} << 8, int64_t{1} << 16, int64_t{1} << 24}) {
      for (int64_t ticks = edge - 2; ticks <= edge + 2; ++ticks) {
        const MonotonicTime armed = wheel_.now();
        const Duration delay(ticks * TimerWheel::kTickNs);
        int fired = 0;
        Timer timer(wheel_, [&] {
          ++fired;
          EXPECT_GE(wheel_.now() - armed, delay);
          EXPECT_LE(wheel_.now() - armed, delay + 1ms);
        });
        timer.arm(delay);
        EXPECT_LE(pass(delay + 1ms), 6);
        ASSERT_EQ(fired, 1) << ticks;
      }
    }
    pass(Duration(static_cast<int64_t>(random.below(1u << 30))));
  }
}

TEST_F(TimerWheelTest, VeryFarTimers) {
  const MonotonicTime armed = wheel_.now();
  std::optional<Duration> fired;
  Timer far(wheel_, [&] { fired = wheel_.now() - armed; });
  far.arm(24h * 365);
  Timer never(wheel_, [] { FAIL(); });
  never.arm(Duration::max());
  pass(24h * 364);
  EXPECT_FALSE(fired.has_value());
  pass(24h * 2);
  ASSERT_TRUE(fired.has_value());
  EXPECT_GE(*fired, 24h * 365);
  EXPECT_LE(*fired, 24h * 365 + 1ms);
}

TEST_F(TimerWheelTest, ALateLoopFiresInOrder) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (const int ms : {700, 3, 90'000, 300, 70'000, 3, 1}) {
    timers.push_back(std::make_unique<Timer>(wheel_, [this, ms] { log_ += std::to_string(ms) + " "; }));
    timers.back()->arm(std::chrono::milliseconds(ms));
  }
  wheel_.set_now(wheel_.now() + 10min);
  EXPECT_EQ(wheel_.run_due(), 7);
  EXPECT_EQ(log_, "1 3 3 300 700 70000 90000 ");
}

TEST_F(TimerWheelTest, ArmingAgainReplaces) {
  Timer timer(wheel_, [&] { log_ += std::to_string(to_ms(wheel_.now() - kStart)) + " "; });
  timer.arm(10ms);
  timer.arm(500ms);
  pass(100ms);
  EXPECT_EQ(log_, "");
  timer.arm(10ms);
  pass(1s);
  EXPECT_EQ(log_, "110 ");
}

// Such a timer stays where it is until its turn comes, which is then not its time.
TEST_F(TimerWheelTest, PutOffWhenItsTurnWasToCome) {
  const MonotonicTime start = wheel_.now();
  std::vector<Duration> fired;
  Timer second(wheel_, [&] { fired.push_back(wheel_.now() - start); });
  Timer first(wheel_, [&] { second.arm(5ms); });
  first.arm(10ms);
  second.arm(10ms);
  pass(12ms);
  EXPECT_TRUE(fired.empty());
  EXPECT_TRUE(second.armed());
  pass(5ms);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_GE(fired[0], 15ms);
  EXPECT_LE(fired[0], 17ms);
  EXPECT_FALSE(second.armed());
}

TEST_F(TimerWheelTest, PutOffFromSoonToFarAndBack) {
  int fired = 0;
  Timer timer(wheel_, [&] { ++fired; });
  timer.arm(0ms);
  timer.arm(100s);
  EXPECT_EQ(wheel_.run_due(), 0);
  pass(99s);
  EXPECT_EQ(fired, 0);
  timer.arm(100s);
  timer.arm(1ms);
  pass(3ms);
  EXPECT_EQ(fired, 1);
  pass(200s);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, ZeroDelaysFireInTheNextRun) {
  Timer other(wheel_, [&] { log_ += "other "; });
  Timer self(wheel_, [&] {
    log_ += "self ";
    self.arm(0ns);
    if (!other.armed() && log_.size() < 6) {
      other.arm(-5s);
    }
  });
  self.arm(0ns);
  EXPECT_LE(wheel_.next_wakeup(), wheel_.now());
  EXPECT_EQ(wheel_.run_due(), 1);
  EXPECT_EQ(log_, "self ");
  EXPECT_LE(wheel_.next_wakeup(), wheel_.now());
  EXPECT_EQ(wheel_.run_due(), 2);
  EXPECT_EQ(log_, "self self other ");
  self.cancel();
  other.cancel();
  wheel_.run_due();
  EXPECT_EQ(wheel_.next_wakeup(), TimerWheel::kNever);
}

// Also when the clock jumped over many slots, a timer that arms itself anew with 0 fires once in each run.
TEST_F(TimerWheelTest, ZeroDelaysDoNotMultiplyInALateRun) {
  int fired = 0;
  Timer self(wheel_, [&] {
    ++fired;
    self.arm(0ns);
  });
  std::vector<std::unique_ptr<Timer>> others;
  for (int i = 1; i <= 50; ++i) {
    others.push_back(std::make_unique<Timer>(wheel_, [] {}));
    others.back()->arm(std::chrono::milliseconds(i));
  }
  self.arm(0ns);
  wheel_.set_now(wheel_.now() + 1s);
  EXPECT_EQ(wheel_.run_due(), 51);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, ACallbackMayCancelArmAndDestroyOthers) {
  auto victim = std::make_unique<Timer>(wheel_, [] { FAIL(); });
  Timer cancelled(wheel_, [] { FAIL(); });
  Timer later(wheel_, [&] { log_ += "later "; });
  Timer first(wheel_, [&] {
    log_ += "first ";
    victim.reset();
    cancelled.cancel();
    later.arm(1ms);
  });
  first.arm(10ms);
  victim->arm(10ms);
  cancelled.arm(10ms);
  later.arm(10ms);
  pass(11ms);
  EXPECT_EQ(log_, "first ");
  pass(2ms);
  EXPECT_EQ(log_, "first later ");
}

TEST_F(TimerWheelTest, ACallbackMayDestroyItsOwnTimer) {
  std::unique_ptr<Timer> timer;
  const std::string captured = "what it captured still lives, however long it is";
  timer = std::make_unique<Timer>(wheel_, [this, &timer, captured] {
    timer.reset();
    log_ += captured;
  });
  timer->arm(1ms);
  pass(2ms);
  EXPECT_EQ(log_, captured);
  EXPECT_EQ(timer, nullptr);
}

TEST_F(TimerWheelTest, TimersMayOutliveTheirWheel) {
  auto wheel = std::make_unique<TimerWheel>(kStart);
  Timer timer(*wheel, [] { FAIL(); });
  timer.arm(1s);
  wheel.reset();
  EXPECT_FALSE(timer.armed());
}

// Far and near deadlines, often replaced and cancelled, as requests do.
TEST_F(TimerWheelTest, AgreesWithAModel) {
  struct Modelled {
    std::unique_ptr<Timer> timer;
    std::optional<MonotonicTime> due;
  };
  SeededRandom random(7);
  std::vector<Modelled> all(200);
  int fired = 0;
  for (Modelled& one : all) {
    one.timer = std::make_unique<Timer>(wheel_, [&] {
      ++fired;
      ASSERT_TRUE(one.due.has_value());
      EXPECT_LE(*one.due, wheel_.now());
      one.due.reset();
    });
  }
  for (int step = 0; step < 20'000; ++step) {
    Modelled& one = all[random.below(all.size())];
    if (random.below(4) == 0) {
      one.timer->cancel();
      one.due.reset();
    } else {
      const Duration delay(static_cast<int64_t>(random.below(uint64_t{1} << random.below(45))) + 1);
      one.timer->arm(delay);
      one.due = wheel_.now() + delay;
    }
    if (random.below(3) == 0) {
      wheel_.set_now(wheel_.now() + Duration(static_cast<int64_t>(random.below(uint64_t{1} << random.below(42)))));
      wheel_.run_due();
    }
    MonotonicTime earliest = TimerWheel::kNever;
    for (const Modelled& other : all) {
      ASSERT_EQ(other.timer->armed(), other.due.has_value());
      if (other.due.has_value()) {
        EXPECT_GT(*other.due + 1ms, wheel_.now()) << "fires at the latest one tick after its time";
        earliest = std::min(earliest, *other.due);
      }
    }
    ASSERT_TRUE(earliest == TimerWheel::kNever || wheel_.next_wakeup() <= earliest + 1ms);
  }
  EXPECT_GT(fired, 1000);
}

}  // namespace
}  // namespace sluice::event
