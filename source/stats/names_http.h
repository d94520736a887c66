// The stats of connection managers, of the router and of the HTTP codecs, under Envoy's names.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "http.STAT_PREFIX.": one connection manager and its router.
// clang-format off
#define SLUICE_HTTP_STATS(X) \
  X(kGauge, kDownstreamCxActive, "downstream_cx_active") \
  X(kCounter, kDownstreamCxDelayedCloseTimeout, "downstream_cx_delayed_close_timeout") \
  X(kCounter, kDownstreamCxDestroy, "downstream_cx_destroy") \
  X(kCounter, kDownstreamCxDestroyActiveRq, "downstream_cx_destroy_active_rq") \
  X(kCounter, kDownstreamCxDestroyLocal, "downstream_cx_destroy_local") \
  X(kCounter, kDownstreamCxDestroyLocalActiveRq, "downstream_cx_destroy_local_active_rq") \
  X(kCounter, kDownstreamCxDestroyRemote, "downstream_cx_destroy_remote") \
  X(kCounter, kDownstreamCxDestroyRemoteActiveRq, "downstream_cx_destroy_remote_active_rq") \
  X(kCounter, kDownstreamCxDrainClose, "downstream_cx_drain_close") \
  X(kGauge, kDownstreamCxHttp1Active, "downstream_cx_http1_active") \
  X(kGauge, kDownstreamCxHttp1SoftDrain, "downstream_cx_http1_soft_drain") \
  X(kCounter, kDownstreamCxHttp1Total, "downstream_cx_http1_total") \
  X(kGauge, kDownstreamCxHttp2Active, "downstream_cx_http2_active") \
  X(kCounter, kDownstreamCxHttp2Total, "downstream_cx_http2_total") \
  X(kGauge, kDownstreamCxHttp3Active, "downstream_cx_http3_active") \
  X(kCounter, kDownstreamCxHttp3Total, "downstream_cx_http3_total") \
  X(kCounter, kDownstreamCxIdleTimeout, "downstream_cx_idle_timeout") \
  X(kCounter, kDownstreamCxMaxDurationReached, "downstream_cx_max_duration_reached") \
  X(kCounter, kDownstreamCxMaxRequestsReached, "downstream_cx_max_requests_reached") \
  X(kCounter, kDownstreamCxOverloadDisableKeepalive, "downstream_cx_overload_disable_keepalive") \
  X(kCounter, kDownstreamCxProtocolError, "downstream_cx_protocol_error") \
  X(kGauge, kDownstreamCxRxBytesBuffered, "downstream_cx_rx_bytes_buffered") \
  X(kCounter, kDownstreamCxRxBytesTotal, "downstream_cx_rx_bytes_total") \
  X(kGauge, kDownstreamCxSslActive, "downstream_cx_ssl_active") \
  X(kCounter, kDownstreamCxSslTotal, "downstream_cx_ssl_total") \
  X(kCounter, kDownstreamCxTotal, "downstream_cx_total") \
  X(kGauge, kDownstreamCxTxBytesBuffered, "downstream_cx_tx_bytes_buffered") \
  X(kCounter, kDownstreamCxTxBytesTotal, "downstream_cx_tx_bytes_total") \
  X(kGauge, kDownstreamCxUpgradesActive, "downstream_cx_upgrades_active") \
  X(kCounter, kDownstreamCxUpgradesTotal, "downstream_cx_upgrades_total") \
  X(kCounter, kDownstreamFlowControlPausedReadingTotal, "downstream_flow_control_paused_reading_total") \
  X(kCounter, kDownstreamFlowControlResumedReadingTotal, "downstream_flow_control_resumed_reading_total") \
  X(kCounter, kDownstreamRq1xx, "downstream_rq_1xx") X(kCounter, kDownstreamRq2xx, "downstream_rq_2xx") \
  X(kCounter, kDownstreamRq3xx, "downstream_rq_3xx") X(kCounter, kDownstreamRq4xx, "downstream_rq_4xx") \
  X(kCounter, kDownstreamRq5xx, "downstream_rq_5xx") X(kGauge, kDownstreamRqActive, "downstream_rq_active") \
  X(kCounter, kDownstreamRqCompleted, "downstream_rq_completed") \
  X(kCounter, kDownstreamRqFailedPathNormalization, "downstream_rq_failed_path_normalization") \
  X(kCounter, kDownstreamRqHeaderTimeout, "downstream_rq_header_timeout") \
  X(kCounter, kDownstreamRqHttp1Total, "downstream_rq_http1_total") \
  X(kCounter, kDownstreamRqHttp2Total, "downstream_rq_http2_total") \
  X(kCounter, kDownstreamRqHttp3Total, "downstream_rq_http3_total") \
  X(kCounter, kDownstreamRqIdleTimeout, "downstream_rq_idle_timeout") \
  X(kCounter, kDownstreamRqMaxDurationReached, "downstream_rq_max_duration_reached") \
  X(kCounter, kDownstreamRqNonRelativePath, "downstream_rq_non_relative_path") \
  X(kCounter, kDownstreamRqOverloadClose, "downstream_rq_overload_close") \
  X(kCounter, kDownstreamRqRedirectedWithNormalizedPath, "downstream_rq_redirected_with_normalized_path") \
  X(kCounter, kDownstreamRqRejectedViaIpDetection, "downstream_rq_rejected_via_ip_detection") \
  X(kCounter, kDownstreamRqResponseBeforeRqComplete, "downstream_rq_response_before_rq_complete") \
  X(kCounter, kDownstreamRqRxReset, "downstream_rq_rx_reset") \
  X(kCounter, kDownstreamRqTimeout, "downstream_rq_timeout") \
  X(kCounter, kDownstreamRqTooLarge, "downstream_rq_too_large") \
  X(kCounter, kDownstreamRqTooManyPrematureResets, "downstream_rq_too_many_premature_resets") \
  X(kCounter, kDownstreamRqTotal, "downstream_rq_total") X(kCounter, kDownstreamRqTxReset, "downstream_rq_tx_reset") \
  X(kCounter, kDownstreamRqWsOnNonWsRoute, "downstream_rq_ws_on_non_ws_route") \
  X(kCounter, kRsTooLarge, "rs_too_large") X(kHistogram, kDownstreamCxLengthMs, "downstream_cx_length_ms") \
  X(kHistogram, kDownstreamRqTime, "downstream_rq_time") X(kCounter, kNoCluster, "no_cluster") \
  X(kCounter, kNoRoute, "no_route") \
  X(kCounter, kPassthroughInternalRedirectBadLocation, "passthrough_internal_redirect_bad_location") \
  X(kCounter, kPassthroughInternalRedirectNoRoute, "passthrough_internal_redirect_no_route") \
  X(kCounter, kPassthroughInternalRedirectPredicate, "passthrough_internal_redirect_predicate") \
  X(kCounter, kPassthroughInternalRedirectTooManyRedirects, "passthrough_internal_redirect_too_many_redirects") \
  X(kCounter, kPassthroughInternalRedirectUnsafeScheme, "passthrough_internal_redirect_unsafe_scheme") \
  X(kCounter, kRqDirectResponse, "rq_direct_response") X(kCounter, kRqOverloadLocalReply, "rq_overload_local_reply") \
  X(kCounter, kRqRedirect, "rq_redirect") \
  X(kCounter, kRqResetAfterDownstreamResponseStarted, "rq_reset_after_downstream_response_started") \
  X(kCounter, kRqTotal, "rq_total")
// clang-format on
SLUICE_STAT_BLOCK(HttpStat, SLUICE_HTTP_STATS)

// Prefix "http.STAT_PREFIX.tracing.".
// clang-format off
#define SLUICE_TRACING_STATS(X) \
  X(kCounter, kClientEnabled, "client_enabled") X(kCounter, kHealthCheck, "health_check") \
  X(kCounter, kNotTraceable, "not_traceable") X(kCounter, kRandomSampling, "random_sampling") \
  X(kCounter, kServiceForced, "service_forced")
// clang-format on
SLUICE_STAT_BLOCK(TracingStat, SLUICE_TRACING_STATS)

// Prefix "http1." (all downstream connections) and "cluster.NAME.http1.".
// clang-format off
#define SLUICE_HTTP1_STATS(X) \
  X(kCounter, kDroppedHeadersWithUnderscores, "dropped_headers_with_underscores") \
  X(kCounter, kMetadataNotSupportedError, "metadata_not_supported_error") \
  X(kCounter, kRequestsRejectedWithUnderscoresInHeaders, "requests_rejected_with_underscores_in_headers") \
  X(kCounter, kResponseFlood, "response_flood")
// clang-format on
SLUICE_STAT_BLOCK(Http1Stat, SLUICE_HTTP1_STATS)

// Prefix "http2." (all downstream connections) and "cluster.NAME.http2.".
// clang-format off
#define SLUICE_HTTP2_STATS(X) \
  X(kCounter, kCookiesTotalBytesTooLarge, "cookies_total_bytes_too_large") \
  X(kGauge, kDeferredStreamClose, "deferred_stream_close") \
  X(kCounter, kDroppedHeadersWithUnderscores, "dropped_headers_with_underscores") \
  X(kCounter, kGoawaySent, "goaway_sent") X(kCounter, kHeaderListSizeTooLarge, "header_list_size_too_large") \
  X(kCounter, kHeaderOverflow, "header_overflow") X(kCounter, kHeadersCbNoStream, "headers_cb_no_stream") \
  X(kCounter, kInboundEmptyFramesFlood, "inbound_empty_frames_flood") \
  X(kCounter, kInboundPriorityFramesFlood, "inbound_priority_frames_flood") \
  X(kCounter, kInboundWindowUpdateFramesFlood, "inbound_window_update_frames_flood") \
  X(kCounter, kKeepaliveTimeout, "keepalive_timeout") X(kCounter, kMetadataEmptyFrames, "metadata_empty_frames") \
  X(kCounter, kOutboundControlFlood, "outbound_control_flood") \
  X(kGauge, kOutboundControlFramesActive, "outbound_control_frames_active") \
  X(kCounter, kOutboundFlood, "outbound_flood") X(kGauge, kOutboundFramesActive, "outbound_frames_active") \
  X(kGauge, kPendingSendBytes, "pending_send_bytes") \
  X(kCounter, kRequestsRejectedWithUnderscoresInHeaders, "requests_rejected_with_underscores_in_headers") \
  X(kCounter, kRxMessagingError, "rx_messaging_error") X(kCounter, kRxReset, "rx_reset") \
  X(kCounter, kStreamRefusedErrors, "stream_refused_errors") X(kGauge, kStreamsActive, "streams_active") \
  X(kCounter, kTrailers, "trailers") X(kCounter, kTxFlushTimeout, "tx_flush_timeout") \
  X(kCounter, kTxReset, "tx_reset")
// clang-format on
SLUICE_STAT_BLOCK(Http2Stat, SLUICE_HTTP2_STATS)

// Prefix "vhost.V.vcluster.C." and "vhost.V.route.STAT_PREFIX."; response codes and time come with ResponseCodes.
// clang-format off
#define SLUICE_VIRTUAL_CLUSTER_STATS(X) \
  X(kCounter, kUpstreamRqRetry, "upstream_rq_retry") \
  X(kCounter, kUpstreamRqRetryLimitExceeded, "upstream_rq_retry_limit_exceeded") \
  X(kCounter, kUpstreamRqRetryOverflow, "upstream_rq_retry_overflow") \
  X(kCounter, kUpstreamRqRetrySuccess, "upstream_rq_retry_success") \
  X(kCounter, kUpstreamRqTimeout, "upstream_rq_timeout") X(kCounter, kUpstreamRqTotal, "upstream_rq_total")
// clang-format on
SLUICE_STAT_BLOCK(VirtualClusterStat, SLUICE_VIRTUAL_CLUSTER_STATS)

}  // namespace sluice::stats
