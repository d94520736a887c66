// ResponseCodes: the counters that Envoy makes as answers come: upstream_rq_completed, upstream_rq_2xx,
// upstream_rq_200, and the histogram upstream_rq_time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "stats/registry.h"

namespace sluice::stats {

// One worker's counters below one block ("cluster.a." with prefix "", "external.", "canary." ...). The first answer
// with a code makes its stats (lock, allocation); later ones only look them up. Thread: worker.
class ResponseCodes {
 public:
  ResponseCodes(WorkerCells& cells, BlockId parent, std::string prefix = {})
      : cells_(cells), parent_(parent), prefix_(std::move(prefix)) {}

  // completed, the class and the exact code. Codes outside of 100..599 count as completed only.
  void inc(uint16_t status);
  // `completed` is there from now on, at zero.
  void show();
  // upstream_rq_time, in ms.
  void record_time(uint64_t ms);

 private:
  Single make(Kind kind, std::string_view name);

  WorkerCells& cells_;
  BlockId parent_;
  std::string prefix_;
  Single completed_;
  std::array<Single, 5> classes_;
  std::vector<std::pair<uint16_t, Single>> codes_;  // few: the ones that were seen, in the order of their first use
  Single time_;
};

}  // namespace sluice::stats
