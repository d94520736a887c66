// RareTimer: a deadline that most of its owners never set.
#pragma once

#include <memory>

#include "event/timer_wheel.h"

namespace sluice::event {

// A Timer that is made when it is armed for the first time; a pointer until then. Calls `fire` of its owner, whose
// member it is. Thread: its loop's.
template <typename Owner, void (Owner::*fire)()>
class RareTimer {
 public:
  void arm(TimerWheel& wheel, Owner& owner, Duration delay) {
    if (timer_ == nullptr) {
      timer_ = std::make_unique<Timer>(wheel, [&owner] { (owner.*fire)(); });
    }
    timer_->arm(delay);
  }
  void cancel() {
    if (timer_ != nullptr) {
      timer_->cancel();
    }
  }

 private:
  std::unique_ptr<Timer> timer_;
};

}  // namespace sluice::event
