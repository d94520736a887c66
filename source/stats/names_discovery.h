// The stats of what gets resources while the process runs.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefixes "cluster_manager.cds.", "listener_manager.lds.", "http.PREFIX.rds.NAME." and others.
// clang-format off
#define SLUICE_DISCOVERY_STATS(X) \
  X(kCounter, kInitFetchTimeout, "init_fetch_timeout") X(kCounter, kUpdateAttempt, "update_attempt") \
  X(kCounter, kUpdateFailure, "update_failure") X(kCounter, kUpdateRejected, "update_rejected") \
  X(kCounter, kUpdateSuccess, "update_success") X(kGauge, kUpdateTime, "update_time") X(kGauge, kVersion, "version") \
  X(kHistogram, kUpdateDuration, "update_duration")
// clang-format on
SLUICE_STAT_BLOCK(DiscoveryStat, SLUICE_DISCOVERY_STATS)

// The same prefixes, but for listeners and the runtime.
// clang-format off
#define SLUICE_RELOAD_STATS(X) \
  X(kCounter, kConfigReload, "config_reload") X(kGauge, kConfigReloadTimeMs, "config_reload_time_ms")
// clang-format on
SLUICE_STAT_BLOCK(ReloadStat, SLUICE_RELOAD_STATS)

// Prefix "extension_config_discovery.http_filter.NAME.", beside the above. `config_fail`: refused, or not there in
// time. `config_conflict`: what is held does not fit a listener that came later.
// clang-format off
#define SLUICE_EXTENSION_STATS(X) X(kCounter, kConfigConflict, "config_conflict") X(kCounter, kConfigFail, "config_fail")
// clang-format on
SLUICE_STAT_BLOCK(ExtensionStat, SLUICE_EXTENSION_STATS)

// Prefix "http.PREFIX.scoped_rds.NAME.", beside the above.
// clang-format off
#define SLUICE_SCOPE_STATS(X) X(kGauge, kAllScopes, "all_scopes") X(kGauge, kActiveScopes, "active_scopes")
// clang-format on
SLUICE_STAT_BLOCK(ScopeStat, SLUICE_SCOPE_STATS)

// Prefix "cluster.NAME." of an EDS cluster, beside what every cluster has.
// clang-format off
#define SLUICE_ENDPOINT_DISCOVERY_STATS(X) \
  X(kCounter, kInitFetchTimeout, "init_fetch_timeout") X(kCounter, kUpdateRejected, "update_rejected") \
  X(kGauge, kUpdateTime, "update_time") X(kHistogram, kUpdateDuration, "update_duration")
// clang-format on
SLUICE_STAT_BLOCK(EndpointDiscoveryStat, SLUICE_ENDPOINT_DISCOVERY_STATS)

// Prefix "control_plane.": of the aggregated stream.
// clang-format off
#define SLUICE_CONTROL_PLANE_STATS(X) \
  X(kGauge, kConnectedState, "connected_state") X(kGauge, kPendingRequests, "pending_requests") \
  X(kCounter, kRateLimitEnforced, "rate_limit_enforced")
// clang-format on
SLUICE_STAT_BLOCK(ControlPlaneStat, SLUICE_CONTROL_PLANE_STATS)

// Prefix "grpc.STAT_PREFIX.", of a google_grpc. Statuses in the order of their numbers.
// clang-format off
#define SLUICE_GOOGLE_GRPC_STATS(X) \
  X(kCounter, kClientCreation, "google_grpc_client_creation") X(kCounter, kStreamsTotal, "streams_total") \
  X(kCounter, kStreamsClosed0, "streams_closed_0") X(kCounter, kStreamsClosed1, "streams_closed_1") \
  X(kCounter, kStreamsClosed2, "streams_closed_2") X(kCounter, kStreamsClosed3, "streams_closed_3") \
  X(kCounter, kStreamsClosed4, "streams_closed_4") X(kCounter, kStreamsClosed5, "streams_closed_5") \
  X(kCounter, kStreamsClosed6, "streams_closed_6") X(kCounter, kStreamsClosed7, "streams_closed_7") \
  X(kCounter, kStreamsClosed8, "streams_closed_8") X(kCounter, kStreamsClosed9, "streams_closed_9") \
  X(kCounter, kStreamsClosed10, "streams_closed_10") X(kCounter, kStreamsClosed11, "streams_closed_11") \
  X(kCounter, kStreamsClosed12, "streams_closed_12") X(kCounter, kStreamsClosed13, "streams_closed_13") \
  X(kCounter, kStreamsClosed14, "streams_closed_14") X(kCounter, kStreamsClosed15, "streams_closed_15") \
  X(kCounter, kStreamsClosed16, "streams_closed_16")
// clang-format on
SLUICE_STAT_BLOCK(GoogleGrpcStat, SLUICE_GOOGLE_GRPC_STATS)

// Prefix "last_good.": with --last-good-config. `stale`: subscriptions that live on what was on the disk.
// clang-format off
#define SLUICE_LAST_GOOD_STATS(X) \
  X(kGauge, kStale, "stale") X(kGauge, kResources, "resources") X(kCounter, kWritten, "written") \
  X(kCounter, kWriteFailed, "write_failed")
// clang-format on
SLUICE_STAT_BLOCK(LastGoodStat, SLUICE_LAST_GOOD_STATS)

// Prefix "load_reporter.": with a load_stats_config.
// clang-format off
#define SLUICE_LOAD_REPORTER_STATS(X) \
  X(kCounter, kRequests, "requests") X(kCounter, kResponses, "responses") X(kCounter, kErrors, "errors") \
  X(kCounter, kRetries, "retries")
// clang-format on
SLUICE_STAT_BLOCK(LoadReporterStat, SLUICE_LOAD_REPORTER_STATS)

}  // namespace sluice::stats
