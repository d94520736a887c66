#include "event/rare_timer.h"

#include <gtest/gtest.h>

namespace sluice::event {
namespace {

struct Waiter {
  void fire() { ++fired; }
  int fired = 0;
  RareTimer<Waiter, &Waiter::fire> timer;
};

TEST(RareTimer, FiresOncePerArm) {
  TimerWheel wheel(MonotonicTime{0});
  Waiter waiter;
  waiter.timer.cancel();  // nothing to cancel yet
  EXPECT_EQ(wheel.next_wakeup(), TimerWheel::kNever);
  for (int i = 1; i <= 2; ++i) {
    waiter.timer.arm(wheel, waiter, std::chrono::milliseconds(5));
    wheel.set_now(wheel.now() + std::chrono::milliseconds(7));
    (void)wheel.run_due();
    EXPECT_EQ(waiter.fired, i);
  }
  waiter.timer.arm(wheel, waiter, std::chrono::milliseconds(5));
  waiter.timer.cancel();
  wheel.set_now(wheel.now() + std::chrono::seconds(1));
  (void)wheel.run_due();
  EXPECT_EQ(waiter.fired, 2);
}

TEST(RareTimer, DoesNotOutliveItsOwner) {
  TimerWheel wheel(MonotonicTime{0});
  {
    Waiter waiter;
    waiter.timer.arm(wheel, waiter, std::chrono::milliseconds(5));
  }
  wheel.set_now(wheel.now() + std::chrono::seconds(1));
  EXPECT_EQ(wheel.run_due(), 0);
}

}  // namespace
}  // namespace sluice::event
