// The stats of listeners and of the listener manager, under Envoy's names.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "listener.ADDRESS." (or stat_prefix; ':' of an IPv4 address becomes '_').
// clang-format off
#define SLUICE_LISTENER_STATS(X) \
  X(kGauge, kDownstreamCxActive, "downstream_cx_active") X(kCounter, kDownstreamCxDestroy, "downstream_cx_destroy") \
  X(kCounter, kDownstreamCxOverflow, "downstream_cx_overflow") \
  X(kCounter, kDownstreamCxOverloadReject, "downstream_cx_overload_reject") \
  X(kCounter, kDownstreamCxTotal, "downstream_cx_total") \
  X(kCounter, kDownstreamCxTransportSocketConnectTimeout, "downstream_cx_transport_socket_connect_timeout") \
  X(kCounter, kDownstreamGlobalCxOverflow, "downstream_global_cx_overflow") \
  X(kCounter, kDownstreamListenerFilterError, "downstream_listener_filter_error") \
  X(kCounter, kDownstreamListenerFilterRemoteClose, "downstream_listener_filter_remote_close") \
  X(kGauge, kDownstreamPreCxActive, "downstream_pre_cx_active") \
  X(kCounter, kDownstreamPreCxTimeout, "downstream_pre_cx_timeout") \
  X(kCounter, kExtensionConfigMissing, "extension_config_missing") \
  X(kCounter, kNetworkExtensionConfigMissing, "network_extension_config_missing") \
  X(kCounter, kNoFilterChainMatch, "no_filter_chain_match") \
  X(kHistogram, kConnectionsAcceptedPerSocketEvent, "connections_accepted_per_socket_event") \
  X(kHistogram, kDownstreamCxLengthMs, "downstream_cx_length_ms")
// clang-format on
SLUICE_STAT_BLOCK(ListenerStat, SLUICE_LISTENER_STATS)

// Prefix "listener.ADDRESS.worker_N." (the admin listener: "listener.admin.main_thread.").
// clang-format off
#define SLUICE_LISTENER_WORKER_STATS(X) \
  X(kGauge, kDownstreamCxActive, "downstream_cx_active") X(kCounter, kDownstreamCxTotal, "downstream_cx_total")
// clang-format on
SLUICE_STAT_BLOCK(ListenerWorkerStat, SLUICE_LISTENER_WORKER_STATS)

// Prefix "listener.ADDRESS.http.STAT_PREFIX.": responses of one connection manager on one listener.
// clang-format off
#define SLUICE_LISTENER_HTTP_STATS(X) \
  X(kCounter, kDownstreamRq1xx, "downstream_rq_1xx") X(kCounter, kDownstreamRq2xx, "downstream_rq_2xx") \
  X(kCounter, kDownstreamRq3xx, "downstream_rq_3xx") X(kCounter, kDownstreamRq4xx, "downstream_rq_4xx") \
  X(kCounter, kDownstreamRq5xx, "downstream_rq_5xx") X(kCounter, kDownstreamRqCompleted, "downstream_rq_completed")
// clang-format on
SLUICE_STAT_BLOCK(ListenerHttpStat, SLUICE_LISTENER_HTTP_STATS)

// Prefix "listener_manager.".
// clang-format off
#define SLUICE_LISTENER_MANAGER_STATS(X) \
  X(kCounter, kListenerAdded, "listener_added") X(kCounter, kListenerCreateFailure, "listener_create_failure") \
  X(kCounter, kListenerCreateSuccess, "listener_create_success") \
  X(kCounter, kListenerInPlaceUpdated, "listener_in_place_updated") \
  X(kCounter, kListenerModified, "listener_modified") X(kCounter, kListenerRemoved, "listener_removed") \
  X(kCounter, kListenerStopped, "listener_stopped") \
  X(kGauge, kTotalFilterChainsDraining, "total_filter_chains_draining") \
  X(kGauge, kTotalListenersActive, "total_listeners_active") \
  X(kGauge, kTotalListenersDraining, "total_listeners_draining") \
  X(kGauge, kTotalListenersWarming, "total_listeners_warming") X(kGauge, kWorkersPinned, "workers_pinned") \
  X(kGauge, kWorkersStarted, "workers_started")
// clang-format on
SLUICE_STAT_BLOCK(ListenerManagerStat, SLUICE_LISTENER_MANAGER_STATS)

}  // namespace sluice::stats
