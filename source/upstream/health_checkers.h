// HealthCheckers: all the active health checks of one cluster. A host is well when each of them finds it well.
#pragma once

#include <memory>
#include <vector>

#include "base/function.h"
#include "stats/registry.h"
#include "upstream/health_checker.h"

namespace sluice::upstream {

// Owned by the server, and gone before the cluster's stats. Thread: main.
class HealthCheckers {
 public:
  // One for each entry of health_checks. `outliers` may be null.
  HealthCheckers(ClusterShared& cluster, OutlierDetector* outliers, WorkerLocal& local);
  ~HealthCheckers();
  HealthCheckers(const HealthCheckers&) = delete;
  HealthCheckers& operator=(const HealthCheckers&) = delete;

  // Calls `hook` once, when every host that there is now was checked in each way; at once when that is so already.
  void when_checked(Function<void()> hook);
  // An answer of the host said that it goes: the last check takes it, as in Envoy. Of hosts that are not checked
  // nothing is heard.
  void says_goodbye(Host& host);
  ClusterShared& cluster() const { return cluster_; }

 private:
  friend class CheckSession;

  void follow_members();
  // One of the checks of this host has a new verdict: what all of them say together is in force from now on.
  void settle(Host& host);
  void passed(Host& host);
  void check_first_round();
  void show_counts();

  ClusterShared& cluster_;
  OutlierDetector* outliers_;
  WorkerLocal& local_;
  event::Timer let_go_;  // a host that no assignment has is not well any more; not now, its session is on the stack
  std::vector<std::unique_ptr<HealthChecker>> checkers_;
  stats::Single healthy_, degraded_;  // of all together; where there are several
  Function<void()> when_checked_;
  model::AssignmentPtr seen_;  // the members that the sessions are of
};

}  // namespace sluice::upstream
