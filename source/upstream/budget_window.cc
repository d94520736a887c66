#include "upstream/budget_window.h"

#include <algorithm>

namespace sluice::upstream {

BudgetWindow::BudgetWindow(ClusterShared& cluster, uint8_t priority, event::Loop& loop)
    : cluster_(cluster), priority_(priority), timer_(loop.timers(), [this] { move_on(); }) {
  move_on();
}

void BudgetWindow::move_on() {
  Breakers& breakers = cluster_.breakers;
  breakers.begin_budget_at(priority_, taken_[oldest_]);
  taken_[oldest_] = breakers.ever_begun(priority_);
  oldest_ = (oldest_ + 1) % kSteps;
  const Duration interval = (*cluster_.plan->breakers)[priority_].budget_interval;
  timer_.arm(std::max<Duration>(interval / kSteps, std::chrono::milliseconds(1)));
}

}  // namespace sluice::upstream
