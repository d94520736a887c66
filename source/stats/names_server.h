// The stats of the process: server, runtime, watchdogs, log files.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "server.".
// clang-format off
#define SLUICE_SERVER_STATS(X) \
  X(kGauge, kCompilationSettingsFipsMode, "compilation_settings.fips_mode") X(kGauge, kConcurrency, "concurrency") \
  X(kGauge, kDaysUntilFirstCertExpiring, "days_until_first_cert_expiring") \
  X(kCounter, kDebugAssertionFailures, "debug_assertion_failures") \
  X(kCounter, kDroppedStatFlushes, "dropped_stat_flushes") \
  X(kCounter, kDynamicUnknownFields, "dynamic_unknown_fields") X(kCounter, kEnvoyBugFailures, "envoy_bug_failures") \
  X(kCounter, kEnvoyNotifications, "envoy_notifications") X(kGauge, kHotRestartEpoch, "hot_restart_epoch") \
  X(kGauge, kLive, "live") \
  X(kGauge, kMemoryAllocated, "memory_allocated") X(kGauge, kMemoryHeapSize, "memory_heap_size") \
  X(kGauge, kMemoryPhysicalSize, "memory_physical_size") X(kGauge, kParentConnections, "parent_connections") \
  X(kGauge, kSecondsUntilFirstOcspResponseExpiring, "seconds_until_first_ocsp_response_expiring") \
  X(kGauge, kState, "state") X(kCounter, kStaticUnknownFields, "static_unknown_fields") \
  X(kGauge, kStatsRecentLookups, "stats_recent_lookups") X(kGauge, kTotalConnections, "total_connections") \
  X(kGauge, kUptime, "uptime") X(kGauge, kVersion, "version") X(kCounter, kWipProtos, "wip_protos") \
  X(kHistogram, kInitializationTimeMs, "initialization_time_ms")
// clang-format on
SLUICE_STAT_BLOCK(ServerStat, SLUICE_SERVER_STATS)

// Prefixes "server.main_thread.", "server.worker_N.", "main_thread." and "workers.".
// clang-format off
#define SLUICE_WATCHDOG_STATS(X) \
  X(kCounter, kWatchdogMegaMiss, "watchdog_mega_miss") X(kCounter, kWatchdogMiss, "watchdog_miss")
// clang-format on
SLUICE_STAT_BLOCK(WatchdogStat, SLUICE_WATCHDOG_STATS)

// Prefix "runtime.".
// clang-format off
#define SLUICE_RUNTIME_STATS(X) \
  X(kGauge, kAdminOverridesActive, "admin_overrides_active") \
  X(kGauge, kDeprecatedFeatureSeenSinceProcessStart, "deprecated_feature_seen_since_process_start") \
  X(kCounter, kDeprecatedFeatureUse, "deprecated_feature_use") X(kCounter, kLoadError, "load_error") \
  X(kCounter, kLoadSuccess, "load_success") X(kGauge, kNumKeys, "num_keys") X(kGauge, kNumLayers, "num_layers") \
  X(kCounter, kOverrideDirExists, "override_dir_exists") \
  X(kCounter, kOverrideDirNotExists, "override_dir_not_exists")
// clang-format on
SLUICE_STAT_BLOCK(RuntimeStat, SLUICE_RUNTIME_STATS)

// Prefix "filesystem.": the files of access logs.
// clang-format off
#define SLUICE_FILESYSTEM_STATS(X) \
  X(kCounter, kFlushedByTimer, "flushed_by_timer") X(kCounter, kReopenFailed, "reopen_failed") \
  X(kCounter, kWriteBuffered, "write_buffered") X(kCounter, kWriteCompleted, "write_completed") \
  X(kCounter, kWriteFailed, "write_failed") X(kGauge, kWriteTotalBuffered, "write_total_buffered")
// clang-format on
SLUICE_STAT_BLOCK(FilesystemStat, SLUICE_FILESYSTEM_STATS)

// Prefix "tcp.STAT_PREFIX.": one TCP proxy.
// clang-format off
#define SLUICE_TCP_STATS(X) \
  X(kCounter, kDownstreamCxDrainClose, "downstream_cx_drain_close") \
  X(kCounter, kDownstreamCxNoRoute, "downstream_cx_no_route") \
  X(kCounter, kDownstreamCxOverloadClose, "downstream_cx_overload_close") \
  X(kGauge, kDownstreamCxRxBytesBuffered, "downstream_cx_rx_bytes_buffered") \
  X(kCounter, kDownstreamCxRxBytesTotal, "downstream_cx_rx_bytes_total") \
  X(kCounter, kDownstreamCxTotal, "downstream_cx_total") \
  X(kGauge, kDownstreamCxTxBytesBuffered, "downstream_cx_tx_bytes_buffered") \
  X(kCounter, kDownstreamCxTxBytesTotal, "downstream_cx_tx_bytes_total") \
  X(kCounter, kDownstreamFlowControlPausedReadingTotal, "downstream_flow_control_paused_reading_total") \
  X(kCounter, kDownstreamFlowControlResumedReadingTotal, "downstream_flow_control_resumed_reading_total") \
  X(kCounter, kEarlyDataReceivedCountTotal, "early_data_received_count_total") \
  X(kCounter, kIdleTimeout, "idle_timeout") \
  X(kCounter, kMaxDownstreamConnectionDuration, "max_downstream_connection_duration") \
  X(kCounter, kRouteDelayedTotal, "route_delayed_total") X(kGauge, kUpstreamFlushActive, "upstream_flush_active") \
  X(kCounter, kUpstreamFlushTotal, "upstream_flush_total")
// clang-format on
SLUICE_STAT_BLOCK(TcpStat, SLUICE_TCP_STATS)

}  // namespace sluice::stats
