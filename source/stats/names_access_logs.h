// The stats of access loggers, under Envoy's names.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefixes "access_logs.grpc_access_log." and "access_logs.open_telemetry_access_log.".
// clang-format off
#define SLUICE_ACCESS_LOGS_STATS(X) \
  X(kCounter, kLogsWritten, "logs_written") X(kCounter, kLogsDropped, "logs_dropped")
// clang-format on
SLUICE_STAT_BLOCK(AccessLogsStat, SLUICE_ACCESS_LOGS_STATS)

}  // namespace sluice::stats
