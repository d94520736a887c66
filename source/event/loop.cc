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

}  // namespace sluice::event
