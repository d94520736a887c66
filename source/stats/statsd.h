// StatsdLines: stats as statsd takes them.
// https://github.com/statsd/statsd/blob/master/docs/metric_types.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/function.h"
#include "stats/registry.h"

namespace sluice::stats {

// Of one sink: it knows what it told last. Thread: main.
class StatsdLines {
 public:
  explicit StatsdLines(std::string prefix) : prefix_(std::move(prefix)) {}

  // After Registry::flush(): counters by how much they grew, gauges as they are, of histograms the values of the last
  // interval. A stat that was never used is not told of. Each line comes without its end, and is valid during the call.
  void write(const Registry& registry, Function<void(std::string_view line)> line);

 private:
  void write_histogram(const StatView& stat, Function<void(std::string_view line)>& line);

  const std::string prefix_;
  std::unordered_map<std::string, uint64_t> told_;  // of counters
  std::string line_;
};

}  // namespace sluice::stats
