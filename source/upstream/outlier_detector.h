// OutlierDetector: takes hosts out of a cluster whose answers are bad, and lets them back in after a while.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "model/health_plan.h"
#include "stats/names_cluster.h"
#include "upstream/cluster_shared.h"
#include "upstream/outlier.h"

namespace sluice::upstream {

// One for each cluster with outlier_detection; owned by the server, and gone before the cluster's stats. Thread: main.
class OutlierDetector {
 public:
  OutlierDetector(ClusterShared& cluster, event::Loop& loop, Random& random, stats::WorkerCells& cells);
  ~OutlierDetector();
  OutlierDetector(const OutlierDetector&) = delete;
  OutlierDetector& operator=(const OutlierDetector&) = delete;

  // A worker saw as many failures in a row as the plan allows.
  void on_consecutive(Host& host, OutlierKind kind);
  // An answer said that it is degraded.
  void on_degraded(Host& host);
  // An active check found it well.
  void on_check_passed(Host& host);
  const ClusterShared& cluster() const { return cluster_; }

 private:
  using Stat = stats::OutlierStat;
  // What is remembered of a host that was ejected once.
  struct Record {
    MonotonicTime ejected_at;
    MonotonicTime back_at;
    bool was_back = false;
    Duration jitter{0};
    uint32_t ejections = 0;
    uint32_t multiplier = 0;  // of base_ejection_time
    MonotonicTime degraded_at;
  };
  // The success rates of one interval that count.
  struct Rates {
    std::vector<std::pair<Host*, double>> for_success_rate, for_failure_percentage;
  };
  struct Threshold {
    double average = -1, limit = -1;
  };
  enum class Origin : uint8_t { kAnswers, kLocal };

  void on_interval();
  void check_back(Host& host);
  void check_degraded(Host& host);
  void forget_removed();
  void judge_rates(Origin origin);
  Rates take_rates(Origin origin);
  void detected(OutlierKind kind);
  void try_eject(Host& host, OutlierKind kind, double rate, Threshold threshold);
  void eject(Host& host, OutlierKind kind);
  void let_back(Host& host);
  uint32_t active() const;
  bool is_ejected(const Host& host) const { return (host.failing.load(std::memory_order_relaxed) & kOutlier) != 0; }
  bool enforces(OutlierKind kind);
  void show_active() { stats_.set(Stat::kEjectionsActive, active()); }
  void log_ejection(Host& host, OutlierKind kind, bool enforced, double rate, Threshold threshold);
  void log_return(Host& host);

  ClusterShared& cluster_;
  const model::OutlierPlan& plan_;
  event::Loop& loop_;
  Random& random_;
  stats::BlockId block_id_;
  stats::Block<stats::OutlierStat> stats_;
  std::shared_ptr<OutlierInbox> inbox_;
  std::unordered_map<const Host*, Record> records_;
  event::Timer interval_;
};

}  // namespace sluice::upstream
