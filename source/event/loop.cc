#include "event/loop.h"

namespace sluice::event {

void Loop::finish_turn() {
  if (turn_end_) {
    turn_end_();
  }
  // A destructor may put further objects on the list.
  while (!dying_.empty()) {
    batch_.swap(dying_);
    batch_.clear();
  }
}

void Loop::note_turn(Duration took) {
  const auto too_long = [took](Duration limit) { return limit > Duration::zero() && took >= limit; };
  if (too_long(slow_turns_.miss)) {
    slow_turns_.misses.fetch_add(1, std::memory_order_relaxed);
  }
  if (too_long(slow_turns_.mega_miss)) {
    slow_turns_.mega_misses.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace sluice::event
