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
  if (took >= SlowTurns::kMiss) {
    slow_turns_.misses.fetch_add(1, std::memory_order_relaxed);
    slow_turns_.mega_misses.fetch_add(took >= SlowTurns::kMegaMiss ? 1 : 0, std::memory_order_relaxed);
  }
}

}  // namespace sluice::event
