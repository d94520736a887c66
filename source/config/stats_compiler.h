// The compilers of stats_config, which says what stats exist, what in their names is a tag, and the buckets of histograms,
// and of stats_sinks.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/metrics/v3/stats.pb.h"
#include "model/stats_sink_plan.h"
#include "stats/settings.h"

namespace sluice::config {

stats::Settings compile_stats_config(const envoy::config::metrics::v3::StatsConfig& proto, CompileScope& scope);

std::vector<model::StatsSinkPlan> compile_stats_sinks(
    const google::protobuf::RepeatedPtrField<envoy::config::metrics::v3::StatsSink>& sinks, CompileScope& scope);

}  // namespace sluice::config
