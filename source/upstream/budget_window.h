// BudgetWindow: retry_budget.budget_interval: which requests of a cluster are young enough to count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "event/loop.h"
#include "upstream/cluster_shared.h"

namespace sluice::upstream {

// The interval is a tenth longer than it says at most, for so often it moves on. Owned by the server, and gone before
// its cluster. Thread: main.
class BudgetWindow {
 public:
  // Of the requests of one priority, which has a budget with an interval.
  BudgetWindow(ClusterShared& cluster, uint8_t priority, event::Loop& loop);

  ClusterShared& cluster() const { return cluster_; }

 private:
  static constexpr size_t kSteps = 10;

  void move_on();

  ClusterShared& cluster_;
  const uint8_t priority_;
  std::array<uint32_t, kSteps> taken_{};  // how many requests there ever were, at the last steps
  size_t oldest_ = 0;
  event::Timer timer_;
};

}  // namespace sluice::upstream
