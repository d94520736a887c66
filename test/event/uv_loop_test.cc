// UvLoop: turns, timers, posts, signals, on the real clock (bounded runs, no sleeps).
#include "event/uv_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "event/uv_signals.h"

namespace sluice::event {
namespace {

using namespace std::chrono_literals;

// Writes what happens to it into a string. Thread: the test's.
struct Dying : Deferred {
  Dying(std::string& log, std::string text) : log(log), text(std::move(text)) {}
  ~Dying() override { log += text; }
  std::string& log;
  std::string text;
};

TEST(UvLoop, TimersFireInOrderAndNotEarly) {
  UvLoop loop;
  std::string log;
  const MonotonicTime start = loop.now();
  Timer late(loop.timers(), [&] {
    log += "30 ";
    EXPECT_GE(loop.now() - start, 30ms);
    loop.stop();
  });
  Timer early(loop.timers(), [&] {
    log += "10 ";
    EXPECT_GE(loop.now() - start, 10ms);
  });
  Timer never(loop.timers(), [&] { log += "never "; });
  late.arm(30ms);
  early.arm(10ms);
  never.arm(20ms);
  never.cancel();
  loop.run();
  EXPECT_EQ(log, "10 30 ");
}

TEST(UvLoop, AnEarlierTimerMovesTheWakeUp) {
  UvLoop loop;
  Timer far(loop.timers(), [] { FAIL(); });
  Timer limit(loop.timers(), [] { FAIL(); });
  int fired = 0;
  Timer near(loop.timers(), [&] {
    if (++fired == 3) {
      loop.stop();
    }
  });
  far.arm(1h);
  loop.post([&] {
    limit.arm(5s);
    near.arm(5ms);
  });
  loop.post([&] { near.arm(2ms); });
  Timer again(loop.timers(), [&] { near.arm(1ms); });
  Timer once_more(loop.timers(), [&] { near.arm(0ms); });
  again.arm(20ms);
  once_more.arm(40ms);
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(UvLoop, ZeroDelayFiresSoonButNotInside) {
  UvLoop loop;
  std::string log;
  Timer soon(loop.timers(), [&] {
    log += "soon ";
    loop.stop();
  });
  loop.post([&] {
    soon.arm(0ms);
    log += "armed ";
  });
  loop.run();
  EXPECT_EQ(log, "armed soon ");
}

TEST(UvLoop, ASelfArmingZeroTimerDoesNotStarveTheLoop) {
  UvLoop loop;
  int fired = 0;
  Timer spin(loop.timers(), [&] {
    ++fired;
    spin.arm(0ms);
  });
  spin.arm(0ms);
  Timer end(loop.timers(), [&] { loop.stop(); });
  end.arm(5ms);
  loop.run();
  EXPECT_GT(fired, 1);
}

TEST(UvLoop, TheOrderWithinATurn) {
  UvLoop loop;
  std::string log;
  loop.at_turn_end([&] { log += "end "; });
  Timer timer(loop.timers(), [&] {
    log += "timer ";
    loop.destroy_later(std::make_unique<Dying>(log, "destroyed "));
  });
  loop.post([&] {
    timer.arm(0ms);
    loop.post([&] {
      log += "second ";
      loop.stop();
    });
    log += "first ";
  });
  loop.run();
  EXPECT_EQ(log.substr(0, 10), "first end ");
  EXPECT_NE(log.find("timer "), std::string::npos);
  EXPECT_LT(log.find("timer "), log.find("destroyed "));
  EXPECT_NE(log.find("end destroyed "), std::string::npos);
  EXPECT_NE(log.find("second end "), std::string::npos);
}

TEST(UvLoop, DestructionDoesNotWaitForAnEvent) {
  UvLoop loop;
  std::string log;
  loop.destroy_later(std::make_unique<Dying>(log, "gone"));
  Timer end(loop.timers(), [&] { loop.stop(); });
  end.arm(2ms);
  loop.at_turn_end([&] {
    if (log.empty()) {
      loop.destroy_later(std::make_unique<Dying>(log, ", too"));  // by the hook: still in this turn
    }
  });
  loop.run();
  EXPECT_EQ(log, "gone, too");
}

TEST(UvLoop, WhatWaitsIsDestroyedWithTheLoop) {
  std::string log;
  {
    UvLoop loop;
    loop.destroy_later(std::make_unique<Dying>(log, "gone"));
    loop.post([&log] { log += "never run"; });
  }
  EXPECT_EQ(log, "gone");
}

TEST(UvLoop, PostFromThreadsKeepsEachThreadsOrder) {
  UvLoop loop;
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  int next[kThreads] = {};
  int ran = 0;
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, t, i] {
          in_order = in_order && next[t]++ == i;
          if (++ran == kThreads * kEach) {
            loop.stop();
          }
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(in_order);
  EXPECT_EQ(ran, kThreads * kEach);
}

TEST(UvLoop, StopFromAnotherThreadAfterAPostRunsThePost) {
  UvLoop loop;
  bool ran = false;
  std::thread other([&] {
    loop.post([&] { ran = true; });
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_TRUE(ran);
  // And it can run again.
  loop.post([&] { loop.stop(); });
  loop.run();
}

TEST(UvLoop, AnIdleLoopSleeps) {
  UvLoop loop;
  int turns = 0;
  loop.at_turn_end([&] { ++turns; });
  Timer end(loop.timers(), [&] { loop.stop(); });
  end.arm(200ms);
  const clock_t before = clock();
  loop.run();
  EXPECT_LE(turns, 4);
  EXPECT_LT(clock() - before, CLOCKS_PER_SEC / 20);
}

TEST(UvLoop, TimeStandsStillWithinATurn) {
  UvLoop loop;
  loop.post([&] {
    const MonotonicTime start = loop.now();
    timespec before;
    clock_gettime(CLOCK_MONOTONIC, &before);
    timespec now = before;
    while (now.tv_nsec == before.tv_nsec) {
      clock_gettime(CLOCK_MONOTONIC, &now);
    }
    EXPECT_EQ(loop.now(), start);
    loop.stop();
  });
  loop.run();
  EXPECT_NEAR(static_cast<double>(loop.wall_now().us) / 1e6, static_cast<double>(time(nullptr)), 2.0);
}

TEST(UvSignals, TellsEachSignalOnTheLoop) {
  UvLoop loop;
  std::vector<int> seen;
  {
    UvSignals signals(loop, {SIGUSR1, SIGHUP}, [&](int signal) {
      seen.push_back(signal);
      if (seen.size() == 2) {
        loop.stop();
      }
    });
    raise(SIGUSR1);
    raise(SIGHUP);
    loop.run();
  }
  EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGHUP}));
  raise(SIGPIPE);  // ignored from now on
}

// Each turn once: what the first one took is told when the wait after it is over, and that wait had no end or one.
TEST(UvLoop, TurnsAreTimed) {
  UvLoop loop;
  std::vector<std::pair<Duration, std::optional<Duration>>> told;
  loop.time_turns([&](Duration took, std::optional<Duration> late) { told.emplace_back(took, late); });
  Timer end(loop.timers(), [&] { loop.stop(); });
  loop.post([&] {
    const MonotonicTime until = UvLoop::clock_now() + 3ms;
    while (UvLoop::clock_now() < until) {
    }
    end.arm(5ms);
  });
  loop.run();
  loop.time_turns(nullptr);
  ASSERT_GE(told.size(), 2u);
  EXPECT_TRUE(std::any_of(told.begin(), told.end(), [](const auto& turn) { return turn.first >= 3ms; }));
  EXPECT_TRUE(std::all_of(told.begin(), told.end(), [](const auto& turn) { return turn.first >= Duration::zero(); }));
  EXPECT_TRUE(told.back().second.has_value());
  for (const auto& [took, late] : told) {
    EXPECT_GE(late.value_or(Duration::zero()), Duration::zero());
  }
}

}  // namespace
}  // namespace sluice::event
