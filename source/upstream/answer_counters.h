// AnswerCounters: what a cluster counts of answers by their code, and of the time that they took: for itself, for
// internal or external requests, for canaries, for the zone of the host, and under other names that requests ask for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stats/response_codes.h"
#include "upstream/host.h"
#include "upstream/zone_names.h"

namespace sluice::upstream {

// Which of the counters an answer goes to beside the cluster's own.
struct AnswerOf {
  bool internal = false;
  bool canary = false;
  std::string_view alt_name;          // x-envoy-upstream-alt-stat-name; empty: none
  const std::string* zone = nullptr;  // AnswerCounters::zone_of()
};

// Part of its Cluster. Thread: worker.
class AnswerCounters {
 public:
  // How many alt names have counters; a client chooses them.
  static constexpr size_t kMaxAltNames = 1000;

  // `own_zone`: of the proxy; empty: zones do not count. Outlives it.
  AnswerCounters(stats::WorkerCells& cells, stats::BlockId cluster, std::string_view own_zone)
      : cells_(cells), cluster_(cluster), own_zone_(own_zone), own_(cells, cluster, {}) {
    own_.all.show();
  }

  // What AnswerOf says of an answer of this host, or instead of one; null: nothing.
  const std::string* zone_of(const Host* host) const {
    const uint32_t zone = own_zone_.empty() || host == nullptr ? 0 : host->state.zone.load(std::memory_order_acquire);
    return zone == 0 ? nullptr : &zone_name(zone);
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
    Split(stats::WorkerCells& cells, stats::BlockId cluster, const std::string& the_prefix)
        : prefix(the_prefix),
          all(cells, cluster, the_prefix),
          internal(cells, cluster, the_prefix + "internal."),
          external(cells, cluster, the_prefix + "external."),
          canary(cells, cluster, the_prefix + "canary.") {}
    const std::string prefix;
    stats::ResponseCodes all, internal, external, canary;
    std::vector<std::pair<const std::string*, std::unique_ptr<stats::ResponseCodes>>> zones;
  };

  template <typename Do>
  void each(Split& split, const AnswerOf& of, Do&& count) {
    count(split.all);
    if (of.canary) count(split.canary);
    count(of.internal ? split.internal : split.external);
    if (of.zone != nullptr) count(codes_of(split, *of.zone));
  }
  template <typename Do>
  void each(const AnswerOf& of, Do&& count) {
    each(own_, of, count);
    if (!of.alt_name.empty()) {
      if (Split* alt = alt_split(of.alt_name)) each(*alt, of, count);
    }
  }
  Split* alt_split(std::string_view name);
  stats::ResponseCodes& codes_of(Split& split, const std::string& zone);

  stats::WorkerCells& cells_;
  stats::BlockId cluster_;
  const std::string_view own_zone_;
  Split own_;
  std::map<std::string, std::unique_ptr<Split>, std::less<>> alt_;
};

}  // namespace sluice::upstream
