// Virtual time and order of the simulation.
#include "test/support/sim_loop.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "test/support/sim_files.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using event::Timer;

TEST(SimLoop, TimeJumpsToTheNextTimer) {
  SimWorld world(1);
  SimLoop loop(world);
  const MonotonicTime start = loop.now();
  const WallTime wall = loop.wall_now();
  Duration fired_after{};
  Timer timer(loop.timers(), [&] {
    fired_after = loop.now() - start;
    loop.stop();
  });
  timer.arm(24h);
  loop.run();
  EXPECT_GE(fired_after, 24h);
  EXPECT_LT(fired_after, 24h + 2ms);
  EXPECT_NEAR(static_cast<double>(loop.wall_now().us - wall.us), 24.0 * 3600e6, 2000);
  EXPECT_LT(world.steps(), 2000u);
}

TEST(SimLoop, TimersFireInOrderAcrossLoops) {
  SimWorld world(2);
  SimLoop a(world);
  SimLoop b(world);
  std::string log;
  Timer one(a.timers(), [&] { log += "1 "; });
  Timer two(b.timers(), [&] { log += "2 "; });
  Timer three(a.timers(), [&] { log += "3 "; });
  three.arm(30ms);
  two.arm(20ms);
  one.arm(10ms);
  world.run_for(1s);
  EXPECT_EQ(log, "1 2 3 ");
}

TEST(SimLoop, PostsKeepTheirOrderAndCrossLoops) {
  SimWorld world(3);
  SimLoop a(world);
  SimLoop b(world);
  std::string log;
  a.post([&] {
    log += "a";
    b.post([&] { log += "b"; });
    a.post([&] { log += "c"; });
    b.post([&] { log += "d"; });
  });
  world.run_for(1ms);
  EXPECT_LT(log.find('b'), log.find('d'));
  EXPECT_EQ(log.size(), 4u);
  EXPECT_EQ(log[0], 'a');
}

TEST(SimLoop, TheEndOfATurnDestroys) {
  struct Dying : event::Deferred {
    explicit Dying(bool& gone) : gone(gone) {}
    ~Dying() override { gone = true; }
    bool& gone;
  };
  SimWorld world(4);
  SimLoop loop(world);
  bool gone = false;
  int turns = 0;
  loop.at_turn_end([&] {
    ++turns;
    EXPECT_FALSE(gone);
  });
  loop.destroy_later(std::make_unique<Dying>(gone));
  EXPECT_FALSE(gone);
  world.run_until([&] { return gone; }, 1ms);
  EXPECT_TRUE(gone);
  EXPECT_EQ(turns, 1);
}

TEST(SimLoop, AnIdleWorldStands) {
  SimWorld world(5);
  SimLoop loop(world);
  EXPECT_FALSE(world.step());
  const MonotonicTime start = world.now();
  world.run_for(5s);
  EXPECT_EQ(world.now() - start, 5s);
  Timer timer(loop.timers(), [] {});
  timer.arm(1s);
  EXPECT_GT(loop.timers().next_wakeup(), start + 5900ms);  // counts from the world's time
}

TEST(SimLoop, EqualTimesRunInSeededOrder) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string first;
    for (int again = 0; again < 2; ++again) {
      SimWorld world(seed);
      std::string log;
      for (const char c : {'a', 'b', 'c'}) {
        world.after(1ms, [&log, c] { log += c; });
      }
      world.run_for(2ms);
      EXPECT_TRUE(again == 0 || log == first);
      first = log;
    }
    orders.insert(first);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(SimWorld, TraceKeepsTheLastLines) {
  SimWorld world(6);
  for (uint64_t i = 0; i < 1500; ++i) {
    world.trace("number", i);
  }
  world.trace_line("text");
  const std::string last = world.last_trace(2);
  EXPECT_NE(last.find("seed 6"), std::string::npos);
  EXPECT_NE(last.find("number 1499 0\n"), std::string::npos);
  EXPECT_NE(last.find(" text\n"), std::string::npos);
  EXPECT_EQ(last.find("number 1498"), std::string::npos);
}

TEST(SimWorld, HashDependsOnOrderTimeAndNumbers) {
  const auto hash = [](const std::function<void(SimWorld&)>& events) {
    SimWorld world(1);
    events(world);
    return world.trace_hash();
  };
  std::set<uint64_t> hashes;
  hashes.insert(hash([](SimWorld& w) { w.trace("a", 1), w.trace("b", 1); }));
  hashes.insert(hash([](SimWorld& w) { w.trace("b", 1), w.trace("a", 1); }));
  hashes.insert(hash([](SimWorld& w) { w.trace("a", 2), w.trace("b", 1); }));
  hashes.insert(hash([](SimWorld& w) { w.trace("a", 1, 1), w.trace("b", 1); }));
  hashes.insert(hash([](SimWorld& w) { w.run_for(1ms), w.trace("a", 1), w.trace("b", 1); }));
  EXPECT_EQ(hashes.size(), 5u);
}

TEST(SimFiles, ReadWatchAndAppend) {
  SimWorld world(7);
  SimLoop loop(world);
  SimFiles files(loop);
  EXPECT_EQ(files.read("/etc/x").error(), "cannot read /etc/x: No such file or directory");
  files.write("/etc/x", "one");
  EXPECT_EQ(*files.read("/etc/x"), "one");
  int changes = 0;
  auto watch = *files.watch("/etc/x", [&] { ++changes; });
  world.run_for(1s);
  EXPECT_EQ(changes, 0);
  files.write("/etc/x", "two");
  files.write("/etc/y", "other");
  EXPECT_EQ(changes, 0);
  world.run_for(1s);
  EXPECT_EQ(changes, 1);
  watch.reset();
  files.write("/etc/x", "three");
  world.run_for(1s);
  EXPECT_EQ(changes, 1);

  auto log = *files.open_append("/log");
  EXPECT_EQ(*files.open_append("/log"), log);
  EXPECT_TRUE(log->append("first\n"));
  EXPECT_TRUE(log->append("second\n"));
  EXPECT_EQ(files.lines("/log"), (std::vector<std::string>{"first", "second"}));
  files.fail("/log", "No space left on device");
  EXPECT_FALSE(log->append("lost\n"));
  EXPECT_FALSE(files.open_append("/log").ok());
  files.fail("/log", "");
  EXPECT_TRUE(log->append("third\n"));
  EXPECT_EQ(files.appended("/log"), "first\nsecond\nthird\n");
}

}  // namespace
}  // namespace sluice::test
