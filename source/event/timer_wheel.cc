#include "event/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice::event {

// Most deadlines are put off again and again and never come. So a timer that is armed anew for later stays in its slot,
// which gives it to insert() when its turn comes (fire(), cascade()).
void Timer::arm(Duration delay) {
  if (delay.count() <= 0) {
    unlink();
    due_tick_ = wheel_.tick_;
    wheel_.soon_.push_back(*this);
  } else {
    // Round up: a timer never fires early. A delay beyond the end of time means "never" in practice.
    const int64_t room = INT64_MAX - TimerWheel::kTickNs - wheel_.now_.ns;
    const int64_t due = wheel_.now_.ns + std::min<int64_t>(delay.count(), room);
    const int64_t before = std::exchange(due_tick_, (due + TimerWheel::kTickNs - 1) / TimerWheel::kTickNs);
    if (linked() && due_tick_ >= before) return;
    unlink();
    wheel_.insert(*this);
  }
  wheel_.next_tick_ = std::min(wheel_.next_tick_, due_tick_);
}

// Level n holds distances from 256^n up to 256^(n+1) ticks. Distance 0 (only while a coarser slot is spread at its
// own tick) goes to the slot of level 0 that is about to fire.
void TimerWheel::insert(Timer& timer) {
  // Beyond the last level (49 days) a timer is parked in the farthest slot and inserted anew from there.
  const int64_t at = std::min(timer.due_tick_, tick_ + (int64_t{1} << 32) - 1);
  const int64_t distance = at - tick_;
  int level = 0;
  while (level < kLevels - 1 && distance >= (int64_t{1} << (8 * (level + 1)))) {
    ++level;
  }
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
int64_t TimerWheel::find_next_tick() const {
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

// Callbacks may arm, cancel and destroy any timer, their own too: so the callback runs outside of its timer and goes
// back only when the timer still lives.
int TimerWheel::fire(Slot& slot) {
  int fired = 0;
  Slot batch;
  batch.splice_back(slot);
  while (Timer* timer = batch.pop_front()) {
    if (timer->due_tick_ > tick_) {
      insert(*timer);
      continue;
    }
    ++fired;
    bool gone = false;
    timer->gone_ = &gone;
    Function<void()> callback = std::move(timer->callback_);
    callback();
    if (!gone) {
      timer->gone_ = nullptr;
      timer->callback_ = std::move(callback);
    }
  }
  return fired;
}

int TimerWheel::run_due() {
  const int64_t target = now_.ns / kTickNs;
  if (target < next_tick_ && soon_.empty()) {
    return 0;
  }
  int fired = fire(soon_);
  for (int64_t tick = find_next_tick(); tick <= target; tick = find_next_tick()) {
    tick_ = tick;
    const int slot = static_cast<int>(tick_ & (kSlots - 1));
    if (slot == 0) {
      cascade(1);
    }
    levels_[0].occupied[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    fired += fire(levels_[0].slots[slot]);
  }
  tick_ = std::max(tick_, target);
  next_tick_ = soon_.empty() ? find_next_tick() : tick_;
  return fired;
}

}  // namespace sluice::event
