// The stats of exporters of spans, under Envoy's names.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "tracing.zipkin.".
// clang-format off
#define SLUICE_ZIPKIN_STATS(X) \
  X(kCounter, kReportsDropped, "reports_dropped") X(kCounter, kReportsFailed, "reports_failed") \
  X(kCounter, kReportsSent, "reports_sent") X(kCounter, kReportsSkippedNoCluster, "reports_skipped_no_cluster") \
  X(kCounter, kSpansSent, "spans_sent") X(kCounter, kTimerFlushed, "timer_flushed")
// clang-format on
SLUICE_STAT_BLOCK(ZipkinStat, SLUICE_ZIPKIN_STATS)

// Prefix "tracing.opentelemetry."; the last two are ours.
// clang-format off
#define SLUICE_OPENTELEMETRY_STATS(X) \
  X(kCounter, kSpansSent, "spans_sent") X(kCounter, kTimerFlushed, "timer_flushed") \
  X(kCounter, kReportsFailed, "reports_failed") X(kCounter, kSpansDropped, "spans_dropped")
// clang-format on
SLUICE_STAT_BLOCK(OpenTelemetryStat, SLUICE_OPENTELEMETRY_STATS)

}  // namespace sluice::stats
