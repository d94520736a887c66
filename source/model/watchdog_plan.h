// WatchdogPlan: how long one turn of a thread's loop may take, and when the process is given up.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/operations/performance#operations-performance-watchdog
#pragma once

#include "base/time.h"

namespace sluice::model {

// Of one thread, or of each worker; Envoy's defaults. A time of zero: never. A plain value.
struct WatchdogPlan {
  Duration miss = std::chrono::milliseconds(200);  // a turn that took so long is counted
  Duration mega_miss = std::chrono::seconds(1);    // ... and so is this
  Duration kill{0};                                // one thread hangs for so long: the process ends
  Duration kill_jitter{0};                         // up to so much is added, so that not all proxies end at once
  Duration multikill{0};                           // several threads hang for so long:
  double multikill_percent = 0;                    // ... this part of them, but at least two
};

struct Watchdogs {
  WatchdogPlan main_thread;
  WatchdogPlan workers;
};

}  // namespace sluice::model
