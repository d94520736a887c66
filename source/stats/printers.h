// Showing stats: Envoy's text and JSON forms, and the Prometheus text format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/function.h"
#include "stats/registry.h"
#include "stats/tags.h"

namespace sluice::stats {

// How histograms are shown.
enum class Buckets : uint8_t { kQuantiles, kCumulative, kDisjoint, kDetailed };
// Which kinds are shown (?type=).
enum class Shown : uint8_t { kAll, kCounters, kGauges, kHistograms, kTexts };

struct PrintOptions {
  Function<bool(std::string_view name)> filter;  // empty: all
  bool used_only = false;
  Shown shown = Shown::kAll;
  Buckets buckets = Buckets::kQuantiles;
};

// `name: value` lines: texts, then counters and gauges by name, then histograms by name. Thread: main.
std::string print_text(const Registry& registry, PrintOptions& options);
// {"stats":[{"name":..,"value":..}, ..., {"histograms":..}]}. Thread: main.
std::string print_json(const Registry& registry, PrintOptions& options);

enum class PrometheusHistograms : uint8_t { kHistogram, kSummary };
// Families of counters, of gauges, of histograms, each by name. Thread: main.
std::string print_prometheus(const Registry& registry, TagExtractor& tags, PrintOptions& options,
                             PrometheusHistograms histograms);

}  // namespace sluice::stats
