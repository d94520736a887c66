// ReportedWeights: weights of hosts out of what their answers say of their load: of two hosts the one that can serve
// more requests with the same load gets more of them. The policy client_side_weighted_round_robin.
// https://github.com/grpc/proposal/blob/master/A58-client-side-weighted-round-robin-lb-policy.md
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "event/loop.h"
#include "http/header_map.h"
#include "model/cluster_plan.h"

namespace sluice::upstream {

class ClusterShared;
struct Host;

// Of one host, over all workers; only in clusters with this policy. Thread: any, but for what is main's.
struct ReportedWeight {
  static constexpr MonotonicTime kNever{INT64_MAX};

  std::atomic<uint32_t> weight{0};           // of the last report
  std::atomic<MonotonicTime> since{kNever};  // the first of those that did not expire
  std::atomic<MonotonicTime> last{};         // known where `since` is
  uint32_t in_force = 0;                     // main; 0: that of its endpoint, for nothing was judged yet
};

// Takes what an answer of the host reports, if it does. False: it does not. `host` has a reported_weight.
bool take_load_report(const model::ReportedWeightsPlan& plan, Host& host, const http::HeaderMap& fields,
                      MonotonicTime now);

// Puts the weights of one cluster in force, again and again. A host of which too little is known has the median of the
// others of its priority. Owned by the server, ends before its cluster. Thread: main.
class ReportedWeights {
 public:
  ReportedWeights(ClusterShared& cluster, event::Loop& loop);

  const ClusterShared& cluster() const { return cluster_; }

 private:
  void on_update();
  bool judge(const std::vector<Host*>& hosts);

  ClusterShared& cluster_;
  const model::ReportedWeightsPlan& plan_;
  event::Loop& loop_;
  event::Timer update_;
};

}  // namespace sluice::upstream
