// AnswerCounters: what a cluster counts of answers by their code, and of the time that they took: for itself, for
// internal or external requests, for canaries, and under other names that requests ask for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "stats/response_codes.h"

namespace sluice::upstream {

// Which of the counters an answer goes to beside the cluster's own.
struct AnswerOf {
  bool internal = false;
  bool canary = false;
  std::string_view alt_name;  // x-envoy-upstream-alt-stat-name; empty: none
};

// Part of its Cluster. Thread: worker.
class AnswerCounters {
 public:
  // How many alt names have counters; a client chooses them.
  static constexpr size_t kMaxAltNames = 1000;

  AnswerCounters(stats::WorkerCells& cells, stats::BlockId cluster)
      : cells_(cells), cluster_(cluster), own_(cells, cluster, {}) {
    own_.all.show();
  }

  // An answer of an upstream, or instead of one.
  void count(uint16_t status, const AnswerOf& of) {
    each(of, [status](stats::ResponseCodes& codes) { codes.inc(status); });
  }
  void record_time(uint64_t ms, const AnswerOf& of) {
    each(of, [ms](stats::ResponseCodes& codes) { codes.record_time(ms); });
  }

 private:
  struct Split {
    Split(stats::WorkerCells& cells, stats::BlockId cluster, const std::string& prefix)
        : all(cells, cluster, prefix),
          internal(cells, cluster, prefix + "internal."),
          external(cells, cluster, prefix + "external."),
          canary(cells, cluster, prefix + "canary.") {}
    stats::ResponseCodes all, internal, external, canary;
  };

  template <typename Do>
  static void each(Split& split, const AnswerOf& of, Do&& count) {
    count(split.all);
    if (of.canary) count(split.canary);
    count(of.internal ? split.internal : split.external);
  }
  template <typename Do>
  void each(const AnswerOf& of, Do&& count) {
    each(own_, of, count);
    if (!of.alt_name.empty()) {
      if (Split* alt = alt_split(of.alt_name)) each(*alt, of, count);
    }
  }
  Split* alt_split(std::string_view name);

  stats::WorkerCells& cells_;
  stats::BlockId cluster_;
  Split own_;
  std::map<std::string, std::unique_ptr<Split>, std::less<>> alt_;
};

}  // namespace sluice::upstream
