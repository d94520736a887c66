// OverloadPlan: what the process watches, and what it does when that becomes scarce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "runtime/key.h"

namespace sluice::model {

// What has a pressure from 0 to 1. Immutable. Thread: any.
struct OverloadMonitor {
  enum class Kind : uint8_t { kHeap, kFile };
  std::string name;
  Kind kind = Kind::kHeap;
  runtime::Number max_heap{UINT64_MAX, nullptr};  // kHeap: in bytes, of what malloc has given out
  std::string file;                               // kFile: holds the pressure as a number
};

// Nothing up to `from`, everything above `to`; a threshold when they are the same: everything from there on. Immutable.
// Thread: any.
struct OverloadTrigger {
  size_t monitor = 0;
  double from = 1, to = 1;

  double value(double pressure) const {
    if (from == to) return pressure >= to ? 1 : 0;
    if (pressure <= from) return 0;
    return pressure >= to ? 1 : (pressure - from) / (to - from);
  }
};

// Immutable. Thread: any.
struct OverloadActionPlan {
  enum class What : uint8_t { kRefuseRequests, kNoKeepalive, kPauseAccepting, kRefuseConnections, kShrinkHeap };
  std::string name;
  What what = What::kRefuseRequests;
  std::vector<OverloadTrigger> triggers;  // the strongest counts
};

// Immutable. Thread: any.
struct OverloadPlan {
  Duration refresh = std::chrono::seconds(1);
  std::optional<uint64_t> max_connections;  // of all listeners that do not ignore it; none: no such monitor
  std::vector<OverloadMonitor> monitors;
  std::vector<OverloadActionPlan> actions;
};

}  // namespace sluice::model
