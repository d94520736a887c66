// The stats of clusters and of the cluster manager, under Envoy's names. Response codes and times of a cluster come
// with ResponseCodes (stats/response_codes.h).
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "cluster.NAME." (alt_stat_name when there is one; ':' becomes '_'): what workers count. A worker has cells for
// it from the cluster's first use on.
// clang-format off
#define SLUICE_CLUSTER_STATS(X) \
  X(kCounter, kBindErrors, "bind_errors") X(kCounter, kLbHealthyPanic, "lb_healthy_panic") \
  X(kCounter, kLbLocalClusterNotOk, "lb_local_cluster_not_ok") \
  X(kCounter, kLbRecalculateZoneStructures, "lb_recalculate_zone_structures") \
  X(kCounter, kLbSubsetsFallback, "lb_subsets_fallback") \
  X(kCounter, kLbSubsetsFallbackPanic, "lb_subsets_fallback_panic") \
  X(kCounter, kLbSubsetsSelected, "lb_subsets_selected") \
  X(kCounter, kLbZoneClusterTooSmall, "lb_zone_cluster_too_small") \
  X(kCounter, kLbZoneNoCapacityLeft, "lb_zone_no_capacity_left") \
  X(kCounter, kLbZoneRoutingAllDirectly, "lb_zone_routing_all_directly") \
  X(kCounter, kLbZoneRoutingCrossZone, "lb_zone_routing_cross_zone") \
  X(kCounter, kLbZoneRoutingSampled, "lb_zone_routing_sampled") \
  X(kCounter, kRetryOrShadowAbandoned, "retry_or_shadow_abandoned") X(kGauge, kUpstreamCxActive, "upstream_cx_active") \
  X(kCounter, kUpstreamCxCloseNotify, "upstream_cx_close_notify") \
  X(kCounter, kUpstreamCxConnectAttemptsExceeded, "upstream_cx_connect_attempts_exceeded") \
  X(kCounter, kUpstreamCxConnectFail, "upstream_cx_connect_fail") \
  X(kCounter, kUpstreamCxConnectTimeout, "upstream_cx_connect_timeout") \
  X(kCounter, kUpstreamCxConnectWith0Rtt, "upstream_cx_connect_with_0_rtt") \
  X(kCounter, kUpstreamCxDestroy, "upstream_cx_destroy") \
  X(kCounter, kUpstreamCxDestroyLocal, "upstream_cx_destroy_local") \
  X(kCounter, kUpstreamCxDestroyLocalWithActiveRq, "upstream_cx_destroy_local_with_active_rq") \
  X(kCounter, kUpstreamCxDestroyRemote, "upstream_cx_destroy_remote") \
  X(kCounter, kUpstreamCxDestroyRemoteWithActiveRq, "upstream_cx_destroy_remote_with_active_rq") \
  X(kCounter, kUpstreamCxDestroyWithActiveRq, "upstream_cx_destroy_with_active_rq") \
  X(kCounter, kUpstreamCxHttp1Total, "upstream_cx_http1_total") \
  X(kCounter, kUpstreamCxHttp2Total, "upstream_cx_http2_total") \
  X(kCounter, kUpstreamCxHttp3Total, "upstream_cx_http3_total") \
  X(kCounter, kUpstreamCxIdleTimeout, "upstream_cx_idle_timeout") \
  X(kCounter, kUpstreamCxMaxDurationReached, "upstream_cx_max_duration_reached") \
  X(kCounter, kUpstreamCxMaxRequests, "upstream_cx_max_requests") \
  X(kCounter, kUpstreamCxNoneHealthy, "upstream_cx_none_healthy") \
  X(kCounter, kUpstreamCxOverflow, "upstream_cx_overflow") \
  X(kCounter, kUpstreamCxPoolOverflow, "upstream_cx_pool_overflow") \
  X(kCounter, kUpstreamCxPreconnectSkipped, "upstream_cx_preconnect_skipped") \
  X(kCounter, kUpstreamCxProtocolError, "upstream_cx_protocol_error") \
  X(kGauge, kUpstreamCxRxBytesBuffered, "upstream_cx_rx_bytes_buffered") \
  X(kCounter, kUpstreamCxRxBytesTotal, "upstream_cx_rx_bytes_total") \
  X(kCounter, kUpstreamCxTotal, "upstream_cx_total") \
  X(kGauge, kUpstreamCxTxBytesBuffered, "upstream_cx_tx_bytes_buffered") \
  X(kCounter, kUpstreamCxTxBytesTotal, "upstream_cx_tx_bytes_total") \
  X(kCounter, kUpstreamFlowControlBackedUpTotal, "upstream_flow_control_backed_up_total") \
  X(kCounter, kUpstreamFlowControlDrainedTotal, "upstream_flow_control_drained_total") \
  X(kCounter, kUpstreamFlowControlPausedReadingTotal, "upstream_flow_control_paused_reading_total") \
  X(kCounter, kUpstreamFlowControlResumedReadingTotal, "upstream_flow_control_resumed_reading_total") \
  X(kCounter, kUpstreamHttp3Broken, "upstream_http3_broken") \
  X(kCounter, kUpstreamInternalRedirectFailedTotal, "upstream_internal_redirect_failed_total") \
  X(kCounter, kUpstreamInternalRedirectSucceededTotal, "upstream_internal_redirect_succeeded_total") \
  X(kGauge, kUpstreamQueueOverloaded, "upstream_queue_overloaded") X(kCounter, kUpstreamRq0rtt, "upstream_rq_0rtt") \
  X(kGauge, kUpstreamRqActive, "upstream_rq_active") \
  X(kCounter, kUpstreamRqActiveOverflow, "upstream_rq_active_overflow") \
  X(kCounter, kUpstreamRqCancelled, "upstream_rq_cancelled") \
  X(kCounter, kUpstreamRqMaintenanceMode, "upstream_rq_maintenance_mode") \
  X(kCounter, kUpstreamRqMaxDurationReached, "upstream_rq_max_duration_reached") \
  X(kGauge, kUpstreamRqPendingActive, "upstream_rq_pending_active") \
  X(kCounter, kUpstreamRqPendingFailureEject, "upstream_rq_pending_failure_eject") \
  X(kCounter, kUpstreamRqPendingOverflow, "upstream_rq_pending_overflow") \
  X(kCounter, kUpstreamRqPendingTotal, "upstream_rq_pending_total") \
  X(kCounter, kUpstreamRqPerTryIdleTimeout, "upstream_rq_per_try_idle_timeout") \
  X(kCounter, kUpstreamRqPerTryTimeout, "upstream_rq_per_try_timeout") \
  X(kCounter, kUpstreamRqRetry, "upstream_rq_retry") \
  X(kCounter, kUpstreamRqRetryBackoffExponential, "upstream_rq_retry_backoff_exponential") \
  X(kCounter, kUpstreamRqRetryBackoffRatelimited, "upstream_rq_retry_backoff_ratelimited") \
  X(kCounter, kUpstreamRqRetryLimitExceeded, "upstream_rq_retry_limit_exceeded") \
  X(kCounter, kUpstreamRqRetryOverflow, "upstream_rq_retry_overflow") \
  X(kCounter, kUpstreamRqRetrySuccess, "upstream_rq_retry_success") \
  X(kCounter, kUpstreamRqRxReset, "upstream_rq_rx_reset") \
  X(kCounter, kUpstreamRqRxResetNoError, "upstream_rq_rx_reset_no_error") \
  X(kCounter, kUpstreamRqTimeout, "upstream_rq_timeout") X(kCounter, kUpstreamRqTotal, "upstream_rq_total") \
  X(kCounter, kUpstreamRqTxReset, "upstream_rq_tx_reset") \
  X(kHistogram, kUpstreamCxConnectMs, "upstream_cx_connect_ms") \
  X(kHistogram, kUpstreamCxLengthMs, "upstream_cx_length_ms") X(kHistogram, kUpstreamRqPerCx, "upstream_rq_per_cx")
// clang-format on
SLUICE_STAT_BLOCK(ClusterStat, SLUICE_CLUSTER_STATS)

// Same prefix: the members, where they come from, and the circuit breakers. Main's, but for the hosts of an
// ORIGINAL_DST cluster, which are the workers'. A table of its own, so that a cluster without traffic has no cells for
// the other one.
// clang-format off
#define SLUICE_CLUSTER_MEMBER_STATS(X) \
  X(kCounter, kAssignmentStale, "assignment_stale") \
  X(kCounter, kAssignmentTimeoutReceived, "assignment_timeout_received") \
  X(kCounter, kAssignmentUseCached, "assignment_use_cached") \
  X(kGauge, kDefaultCxOpen, "circuit_breakers.default.cx_open") \
  X(kGauge, kDefaultCxPoolOpen, "circuit_breakers.default.cx_pool_open") \
  X(kGauge, kDefaultRqOpen, "circuit_breakers.default.rq_open") \
  X(kGauge, kDefaultRqPendingOpen, "circuit_breakers.default.rq_pending_open") \
  X(kGauge, kDefaultRqRetryOpen, "circuit_breakers.default.rq_retry_open") \
  X(kGauge, kHighCxOpen, "circuit_breakers.high.cx_open") \
  X(kGauge, kHighCxPoolOpen, "circuit_breakers.high.cx_pool_open") \
  X(kGauge, kHighRqOpen, "circuit_breakers.high.rq_open") \
  X(kGauge, kHighRqPendingOpen, "circuit_breakers.high.rq_pending_open") \
  X(kGauge, kHighRqRetryOpen, "circuit_breakers.high.rq_retry_open") \
  X(kCounter, kDefaultTotalMatchCount, "default.total_match_count") X(kGauge, kLbSubsetsActive, "lb_subsets_active") \
  X(kCounter, kLbSubsetsCreated, "lb_subsets_created") X(kCounter, kLbSubsetsRemoved, "lb_subsets_removed") \
  X(kGauge, kMaxHostWeight, "max_host_weight") X(kCounter, kMembershipChange, "membership_change") \
  X(kGauge, kMembershipDegraded, "membership_degraded") X(kGauge, kMembershipExcluded, "membership_excluded") \
  X(kGauge, kMembershipHealthy, "membership_healthy") X(kGauge, kMembershipTotal, "membership_total") \
  X(kCounter, kOriginalDstHostInvalid, "original_dst_host_invalid") \
  X(kCounter, kUpdateAttempt, "update_attempt") X(kCounter, kUpdateEmpty, "update_empty") \
  X(kCounter, kUpdateFailure, "update_failure") X(kCounter, kUpdateNoRebuild, "update_no_rebuild") \
  X(kCounter, kUpdateSuccess, "update_success") X(kGauge, kVersion, "version") \
  X(kGauge, kWarmingState, "warming_state")
// clang-format on
SLUICE_STAT_BLOCK(ClusterMemberStat, SLUICE_CLUSTER_MEMBER_STATS)

// Prefix "cluster.NAME.circuit_breakers.default." and "...high.", only where track_remaining is set.
// clang-format off
#define SLUICE_BREAKER_REMAINING_STATS(X) \
  X(kGauge, kRemainingCx, "remaining_cx") X(kGauge, kRemainingCxPools, "remaining_cx_pools") \
  X(kGauge, kRemainingPending, "remaining_pending") X(kGauge, kRemainingRetries, "remaining_retries") \
  X(kGauge, kRemainingRq, "remaining_rq")
// clang-format on
SLUICE_STAT_BLOCK(BreakerRemainingStat, SLUICE_BREAKER_REMAINING_STATS)

// Same prefix as the cluster's, only where track_cluster_stats asks for them.
// clang-format off
#define SLUICE_SIZE_STATS(X) \
  X(kHistogram, kUpstreamRqBodySize, "upstream_rq_body_size") \
  X(kHistogram, kUpstreamRqHeadersCount, "upstream_rq_headers_count") \
  X(kHistogram, kUpstreamRqHeadersSize, "upstream_rq_headers_size") \
  X(kHistogram, kUpstreamRsBodySize, "upstream_rs_body_size") \
  X(kHistogram, kUpstreamRsHeadersCount, "upstream_rs_headers_count") \
  X(kHistogram, kUpstreamRsHeadersSize, "upstream_rs_headers_size")
#define SLUICE_BUDGET_STATS(X) \
  X(kHistogram, kUpstreamRqTimeoutBudgetPercentUsed, "upstream_rq_timeout_budget_percent_used") \
  X(kHistogram, kUpstreamRqTimeoutBudgetPerTryPercentUsed, "upstream_rq_timeout_budget_per_try_percent_used")
// clang-format on
SLUICE_STAT_BLOCK(SizeStat, SLUICE_SIZE_STATS)
SLUICE_STAT_BLOCK(BudgetStat, SLUICE_BUDGET_STATS)

// Prefix "cluster.NAME.endpoint.ADDRESS_PORT.", only where per_endpoint_stats asks for them.
// clang-format off
#define SLUICE_ENDPOINT_STATS(X) \
  X(kGauge, kCxActive, "cx_active") X(kCounter, kCxConnectFail, "cx_connect_fail") X(kCounter, kCxTotal, "cx_total") \
  X(kGauge, kHealthy, "healthy") X(kGauge, kRqActive, "rq_active") X(kCounter, kRqError, "rq_error") \
  X(kGauge, kRqPendingActive, "rq_pending_active") X(kCounter, kRqSuccess, "rq_success") \
  X(kCounter, kRqTimeout, "rq_timeout") X(kCounter, kRqTotal, "rq_total")
// clang-format on
SLUICE_STAT_BLOCK(EndpointStat, SLUICE_ENDPOINT_STATS)

// Prefix "dns_cache.NAME.".
// clang-format off
#define SLUICE_DNS_CACHE_STATS(X) \
  X(kCounter, kCacheLoad, "cache_load") X(kGauge, kRqPendingOpen, "circuit_breakers.rq_pending_open") \
  X(kGauge, kRqPendingRemaining, "circuit_breakers.rq_pending_remaining") \
  X(kCounter, kDnsQueryAttempt, "dns_query_attempt") X(kCounter, kDnsQueryFailure, "dns_query_failure") \
  X(kCounter, kDnsQuerySuccess, "dns_query_success") X(kCounter, kDnsQueryTimeout, "dns_query_timeout") \
  X(kCounter, kDnsRqPendingOverflow, "dns_rq_pending_overflow") X(kCounter, kHostAdded, "host_added") \
  X(kCounter, kHostAddressChanged, "host_address_changed") X(kCounter, kHostOverflow, "host_overflow") \
  X(kCounter, kHostRemoved, "host_removed") X(kGauge, kNumHosts, "num_hosts")
// clang-format on
SLUICE_STAT_BLOCK(DnsCacheStat, SLUICE_DNS_CACHE_STATS)

// Prefix "cluster.NAME.health_check.".
// clang-format off
#define SLUICE_HEALTH_CHECK_STATS(X) \
  X(kCounter, kAttempt, "attempt") X(kGauge, kDegraded, "degraded") X(kCounter, kFailure, "failure") \
  X(kGauge, kHealthy, "healthy") X(kCounter, kNetworkFailure, "network_failure") \
  X(kCounter, kPassiveFailure, "passive_failure") X(kCounter, kSuccess, "success") \
  X(kCounter, kVerifyCluster, "verify_cluster")
// clang-format on
SLUICE_STAT_BLOCK(HealthCheckStat, SLUICE_HEALTH_CHECK_STATS)

// Prefix "cluster.NAME.outlier_detection.".
// clang-format off
#define SLUICE_OUTLIER_STATS(X) \
  X(kGauge, kEjectionsActive, "ejections_active") X(kCounter, kEjectionsConsecutive5xx, "ejections_consecutive_5xx") \
  X(kCounter, kEjectionsDetectedConsecutive5xx, "ejections_detected_consecutive_5xx") \
  X(kCounter, kEjectionsDetectedConsecutiveGatewayFailure, "ejections_detected_consecutive_gateway_failure") \
  X(kCounter, kEjectionsDetectedConsecutiveLocalOriginFailure, "ejections_detected_consecutive_local_origin_failure") \
  X(kCounter, kEjectionsDetectedDegradation, "ejections_detected_degradation") \
  X(kCounter, kEjectionsDetectedFailurePercentage, "ejections_detected_failure_percentage") \
  X(kCounter, kEjectionsDetectedLocalOriginFailurePercentage, "ejections_detected_local_origin_failure_percentage") \
  X(kCounter, kEjectionsDetectedLocalOriginSuccessRate, "ejections_detected_local_origin_success_rate") \
  X(kCounter, kEjectionsDetectedSuccessRate, "ejections_detected_success_rate") \
  X(kCounter, kEjectionsEnforcedConsecutive5xx, "ejections_enforced_consecutive_5xx") \
  X(kCounter, kEjectionsEnforcedConsecutiveGatewayFailure, "ejections_enforced_consecutive_gateway_failure") \
  X(kCounter, kEjectionsEnforcedConsecutiveLocalOriginFailure, "ejections_enforced_consecutive_local_origin_failure") \
  X(kCounter, kEjectionsEnforcedFailurePercentage, "ejections_enforced_failure_percentage") \
  X(kCounter, kEjectionsEnforcedLocalOriginFailurePercentage, "ejections_enforced_local_origin_failure_percentage") \
  X(kCounter, kEjectionsEnforcedLocalOriginSuccessRate, "ejections_enforced_local_origin_success_rate") \
  X(kCounter, kEjectionsEnforcedSuccessRate, "ejections_enforced_success_rate") \
  X(kCounter, kEjectionsEnforcedTotal, "ejections_enforced_total") \
  X(kCounter, kEjectionsOverflow, "ejections_overflow") X(kCounter, kEjectionsSuccessRate, "ejections_success_rate") \
  X(kCounter, kEjectionsTotal, "ejections_total")
// clang-format on
SLUICE_STAT_BLOCK(OutlierStat, SLUICE_OUTLIER_STATS)

// Prefix "cluster.NAME.ring_hash_lb.".
// clang-format off
#define SLUICE_HASH_RING_STATS(X) \
  X(kGauge, kMaxHashesPerHost, "max_hashes_per_host") X(kGauge, kMinHashesPerHost, "min_hashes_per_host") \
  X(kGauge, kSize, "size")
// clang-format on
SLUICE_STAT_BLOCK(HashRingStat, SLUICE_HASH_RING_STATS)

// Prefix "cluster.NAME.maglev_lb.".
// clang-format off
#define SLUICE_MAGLEV_STATS(X) \
  X(kGauge, kMaxEntriesPerHost, "max_entries_per_host") X(kGauge, kMinEntriesPerHost, "min_entries_per_host")
// clang-format on
SLUICE_STAT_BLOCK(MaglevStat, SLUICE_MAGLEV_STATS)

// Prefix "cluster_manager.".
// clang-format off
#define SLUICE_CLUSTER_MANAGER_STATS(X) \
  X(kGauge, kActiveClusters, "active_clusters") X(kCounter, kClusterAdded, "cluster_added") \
  X(kCounter, kClusterModified, "cluster_modified") X(kCounter, kClusterRemoved, "cluster_removed") \
  X(kCounter, kClusterUpdated, "cluster_updated") X(kCounter, kClusterUpdatedViaMerge, "cluster_updated_via_merge") \
  X(kCounter, kUpdateMergeCancelled, "update_merge_cancelled") \
  X(kCounter, kUpdateOutOfMergeWindow, "update_out_of_merge_window") X(kGauge, kWarmingClusters, "warming_clusters")
// clang-format on
SLUICE_STAT_BLOCK(ClusterManagerStat, SLUICE_CLUSTER_MANAGER_STATS)

}  // namespace sluice::stats
