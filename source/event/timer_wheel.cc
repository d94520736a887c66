#include "event/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace sluice::event {

void Timer::arm(Duration delay) {
  unlink();
  if (delay.count() <= 0) {
    due_tick_ = wheel_.tick_;
  } else {
    // Round up: a timer never fires early.
    due_tick_ = (wheel_.now_.ns + delay.count() + TimerWheel::kTickNs - 1) / TimerWheel::kTickNs;
  }
  wheel_.insert(*this);
  if (due_tick_ < wheel_.announced_) {
    wheel_.announced_ = due_tick_;
    if (wheel_.on_earlier_) {
      wheel_.on_earlier_(MonotonicTime{due_tick_ * TimerWheel::kTickNs});
    }
  }
}

void TimerWheel::insert(Timer& timer) {
  const int64_t distance = timer.due_tick_ - tick_;
  if (distance <= 0) {
    due_.push_back(timer);
    return;
  }
  int level = 0;
  while (level < kLevels - 1 && distance >= (int64_t{1} << (8 * (level + 1)))) {
    ++level;
  }
  // Beyond the last level (49 days) a timer is parked in the farthest slot and inserted anew from there.
  const int64_t farthest = tick_ + (int64_t{1} << 32) - 1;
  const int64_t at = std::min(timer.due_tick_, farthest);
  const int slot = static_cast<int>((at >> (8 * level)) & (kSlots - 1));
  levels_[level].slots[slot].push_back(timer);
  levels_[level].occupied[slot / 64] |= uint64_t{1} << (slot % 64);
}

// The slot of `level` that begins at tick_ is spread over the finer levels.
void TimerWheel::cascade(int level) {
  const int slot = static_cast<int>((tick_ >> (8 * level)) & (kSlots - 1));
  if (slot == 0 && level + 1 < kLevels) {
    cascade(level + 1);
  }
  Slot moving;
  moving.splice_back(levels_[level].slots[slot]);
  levels_[level].occupied[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  while (Timer* timer = moving.pop_front()) {
    insert(*timer);
  }
}

// The next tick at which something may have to be done: a slot of level 0 fires, or a slot of a higher level is
// spread. INT64_MAX when the wheel is empty.
int64_t TimerWheel::next_tick() const {
  int64_t best = INT64_MAX;
  for (int level = 0; level < kLevels; ++level) {
    const int64_t here = tick_ >> (8 * level);
    const auto& occupied = levels_[level].occupied;
    for (int step = 1; step <= kSlots;) {
      const int slot = static_cast<int>((here + step) & (kSlots - 1));
      const uint64_t word = occupied[slot / 64] >> (slot % 64);
      if (word == 0) {
        step += 64 - slot % 64;
        continue;
      }
      best = std::min(best, (here + step + std::countr_zero(word)) << (8 * level));
      break;
    }
  }
  return best;
}

int TimerWheel::fire(Slot& slot) {
  int fired = 0;
  Slot batch;
  batch.splice_back(slot);
  while (Timer* timer = batch.pop_front()) {
    ++fired;
    timer->callback_();
  }
  return fired;
}

int TimerWheel::run_due() {
  int fired = fire(due_);
  const int64_t target = now_.ns / kTickNs;
  while (true) {
    const int64_t tick = next_tick();
    if (tick > target) {
      break;
    }
    tick_ = tick;
    const int slot = static_cast<int>(tick_ & (kSlots - 1));
    if (slot == 0) {
      cascade(1);
    }
    levels_[0].occupied[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    Slot batch;
    batch.splice_back(levels_[0].slots[slot]);
    Slot now_due;
    now_due.splice_back(due_);
    batch.splice_back(now_due);
    fired += fire(batch);
  }
  tick_ = std::max(tick_, target);
  announced_ = INT64_MAX;
  const MonotonicTime next = next_wakeup();
  announced_ = next == kNever ? INT64_MAX : next.ns / kTickNs;
  return fired;
}

MonotonicTime TimerWheel::next_wakeup() const {
  if (!due_.empty()) {
    return now_;
  }
  const int64_t tick = next_tick();
  return tick == INT64_MAX ? kNever : MonotonicTime{tick * kTickNs};
}

}  // namespace sluice::event
