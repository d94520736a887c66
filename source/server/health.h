// Health: what finds out on the main thread which hosts are well, and what they can take, for all clusters.
#pragma once

#include <memory>
#include <vector>

#include "upstream/budget_window.h"
#include "upstream/health_checkers.h"
#include "upstream/outlier_detector.h"
#include "upstream/reported_weights.h"
#include "upstream/worker_local.h"

namespace sluice::server {

// Owned by the server; cleared before its clusters. Thread: main.
class Health {
 public:
  // `local` is main's.
  explicit Health(upstream::WorkerLocal& local) : local_(local) {}

  // Before any worker has the cluster; until forget().
  void follow(upstream::ClusterShared& cluster);
  // Calls once every host of the cluster was checked; perhaps at once.
  void when_checked(upstream::ClusterShared& cluster, Function<void()> hook);
  void forget(upstream::ClusterShared& cluster);
  void clear();

 private:
  upstream::WorkerLocal& local_;
  std::vector<std::unique_ptr<upstream::OutlierDetector>> detectors_;
  std::vector<std::unique_ptr<upstream::HealthCheckers>> checkers_;
  std::vector<std::unique_ptr<upstream::ReportedWeights>> weights_;
  std::vector<std::unique_ptr<upstream::BudgetWindow>> budgets_;
};

}  // namespace sluice::server
