// Health: what finds out on the main thread which hosts are well, for all clusters.
#pragma once

#include <memory>
#include <vector>

#include "server/platform.h"
#include "stats/registry.h"
#include "upstream/health_checker.h"
#include "upstream/main_local.h"
#include "upstream/outlier_detector.h"

namespace sluice::server {

// Owned by the server; cleared before its clusters. Thread: main.
class Health {
 public:
  Health(Platform& platform, stats::WorkerCells& cells)
      : platform_(platform), local_(platform.main_loop(), platform.main_network(), platform.random(), cells) {}

  // Before any worker has the cluster.
  void follow(upstream::ClusterShared& cluster);
  // Calls once every host of the cluster was checked; perhaps at once.
  void when_checked(upstream::ClusterShared& cluster, Function<void()> hook);
  void clear();

 private:
  Platform& platform_;
  upstream::MainLocal local_;
  std::vector<std::unique_ptr<upstream::OutlierDetector>> detectors_;
  std::vector<std::unique_ptr<upstream::HealthChecker>> checkers_;
};

}  // namespace sluice::server
