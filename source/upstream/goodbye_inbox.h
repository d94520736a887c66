// GoodbyeInbox: takes what an answer said of its host to the main thread (x-envoy-immediate-health-check-fail).
#pragma once

#include <memory>

#include "event/loop.h"
#include "upstream/host.h"

namespace sluice::upstream {

class HealthCheckers;

// Outlives the checkers: workers may still hold it. Thread: any.
class GoodbyeInbox : public std::enable_shared_from_this<GoodbyeInbox> {
 public:
  GoodbyeInbox(event::Loop& main, HealthCheckers& checkers) : main_(main), checkers_(&checkers) {}

  void tell(Host& host);
  // Nobody listens any more. Thread: main.
  void close() { checkers_ = nullptr; }

 private:
  event::Loop& main_;
  HealthCheckers* checkers_;  // main's
};

}  // namespace sluice::upstream
