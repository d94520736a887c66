// Guard: notices that threads hang in one turn of their loops, and gives the process up then, so that whoever runs it
// starts another one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "model/watchdog_plan.h"

namespace sluice::server {

// Owned by the Server, and looked at by a thread of its own (Platform::watch_over). Thread: main until then, any later.
class Guard {
 public:
  // A thread to watch. The loop outlives whoever looks.
  void watch(std::string name, const event::Loop& loop, const model::WatchdogPlan& plan, Random& random);

  // Whether a turn may be too long at all.
  bool needed() const { return interval() > Duration::zero(); }
  // How often to look: twice in the shortest of the times.
  Duration interval() const;
  // Why the process must end; none: it need not.
  std::optional<std::string> verdict(MonotonicTime now) const;

 private:
  struct Watched {
    std::string name;
    const event::SlowTurns* turns;
    Duration kill, multikill;
    double multikill_percent;
  };
  std::vector<Watched> watched_;
};

}  // namespace sluice::server
