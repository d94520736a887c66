// OverloadWatch: looks at the resources of the overload manager from time to time, and says to the data path what is in
// force.
#pragma once

#include <memory>
#include <vector>

#include "base/function.h"
#include "event/timer_wheel.h"
#include "model/overload_plan.h"
#include "proxy/overload.h"
#include "server/platform.h"
#include "stats/registry.h"

namespace sluice::server {

// Owned by the Server. Thread: main.
class OverloadWatch {
 public:
  // `plan` null: nothing is watched. `accept`: whether connections are accepted from now on.
  OverloadWatch(Platform& platform, std::shared_ptr<const model::OverloadPlan> plan, proxy::Overload& overload,
                stats::WorkerCells& cells, Function<void(proxy::Accepting)> accept);

  void start();
  void stop() { timer_.cancel(); }

 private:
  struct Monitor {
    stats::Single pressure, failed;
    double value = 0;
  };
  struct Action {
    stats::Single active, scale_percent;
    double value = 0;
  };
  void refresh();
  void measure(size_t monitor);
  void act(const model::OverloadActionPlan& plan, Action& action, double value);

  Platform& platform_;
  const std::shared_ptr<const model::OverloadPlan> plan_;
  proxy::Overload& overload_;
  Function<void(proxy::Accepting)> accept_;
  std::vector<Monitor> monitors_;  // parallel to the plan's
  std::vector<Action> actions_;    // parallel to the plan's
  stats::Single connections_, shrinks_, delay_;
  MonotonicTime refreshed_, shrunk_;
  event::Timer timer_;
};

}  // namespace sluice::server
