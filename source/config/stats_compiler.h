// The compiler of stats_config: which stats exist, what in their names is a tag, and the buckets of histograms.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/metrics/v3/stats.pb.h"
#include "stats/settings.h"

namespace sluice::config {

stats::Settings compile_stats_config(const envoy::config::metrics::v3::StatsConfig& proto, CompileScope& scope);

}  // namespace sluice::config
