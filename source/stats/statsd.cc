#include "stats/statsd.h"

#include <cmath>
#include <cstdio>

#include "base/strings.h"

namespace sluice::stats {

void StatsdLines::write(const Registry& registry, Function<void(std::string_view line)> line) {
  registry.visit([&](const StatView& stat) {
    if (!stat.used) return;
    line_.clear();
    append(line_, prefix_, ".", stat.name, ":");
    switch (stat.kind) {
      case Kind::kCounter: {
        uint64_t& told = told_[std::string(stat.name)];
        // Below what was told: the counters began anew.
        const uint64_t grown = stat.value >= told ? stat.value - told : stat.value;
        told = stat.value;
        append(line_, grown, "|c");
        return line(line_);
      }
      case Kind::kGauge:
        append(line_, stat.value, "|g");
        return line(line_);
      case Kind::kHistogram:
        return write_histogram(stat, line);
    }
  });
}

// A value that came several times is one line with a sample rate: so statsd counts it as often.
void StatsdLines::write_histogram(const StatView& stat, Function<void(std::string_view line)>& line) {
  const size_t name = line_.size();
  for (const auto& [bin, count] : stat.interval->counts()) {
    line_.resize(name);
    append(line_, static_cast<uint64_t>(std::lround(bin_lower(bin) + (bin_width(bin) > 1 ? bin_width(bin) / 2 : 0))), "|ms");
    if (count > 1) {
      char rate[32];
      std::snprintf(rate, sizeof(rate), "|@%.6g", 1.0 / static_cast<double>(count));
      line_ += rate;
    }
    line(line_);
  }
}

}  // namespace sluice::stats
