// Facts: all that is known of one exchange (or TCP connection) when a log line, a header or a local reply is
// formatted. The exchange fills it; command operators read it; nobody else keeps it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/filter_state.h"
#include "base/metadata.h"
#include "base/random.h"
#include "base/time.h"
#include "http/byte_meter.h"
#include "http/message.h"
#include "net/address.h"
#include "net/tls_facts.h"

namespace sluice::format {

// Envoy's response flags, in its order; a set of bits. docs: features.md 4a.
enum class Flag : uint8_t {
  kFailedLocalHealthCheck,
  kNoHealthyUpstream,
  kUpstreamRequestTimeout,
  kLocalReset,
  kUpstreamRemoteReset,
  kUpstreamConnectionFailure,
  kUpstreamConnectionTermination,
  kUpstreamOverflow,
  kNoRouteFound,
  kDelayInjected,
  kFaultInjected,
  kRateLimited,
  kUnauthorizedExternalService,
  kRateLimitServiceError,
  kDownstreamConnectionTermination,
  kUpstreamRetryLimitExceeded,
  kStreamIdleTimeout,
  kInvalidEnvoyRequestHeaders,
  kDownstreamProtocolError,
  kUpstreamMaxStreamDurationReached,
  kResponseFromCacheFilter,
  kNoFilterConfigFound,
  kDurationTimeout,
  kUpstreamProtocolError,
  kNoClusterFound,
  kOverloadManager,
  kDnsResolutionFailed,
  kDropOverload,
  kDownstreamRemoteReset,
  kUnconditionalDropOverload,
  kCount
};

// Keeps the order in which they were set, for that is how logs show them.
class Flags {
 public:
  void set(Flag flag) {
    if (has(flag)) return;
    bits_ |= uint32_t{1} << static_cast<int>(flag);
    if (count_ < sizeof(order_)) order_[count_++] = flag;
  }
  bool has(Flag flag) const { return (bits_ >> static_cast<int>(flag) & 1) != 0; }
  bool any() const { return bits_ != 0; }
  bool shares_any(Flags other) const { return (bits_ & other.bits_) != 0; }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (size_t i = 0; i < count_; ++i) visit(order_[i]);
  }

 private:
  uint32_t bits_ = 0;
  Flag order_[11] = {};  // no exchange has more
  uint8_t count_ = 0;
};

inline constexpr MonotonicTime kUnset{INT64_MIN};

// Why a log line is written; Envoy's AccessLogType in its order. kNotSet: by a listener's own access log.
enum class LogType : uint8_t {
  kNotSet,
  kTcpUpstreamConnected,
  kTcpPeriodic,
  kTcpConnectionEnd,
  kDownstreamStart,
  kDownstreamPeriodic,
  kDownstreamEnd,
  kUpstreamPoolReady,
  kUpstreamPeriodic,
  kUpstreamEnd,
  kDownstreamTunnelSuccessfullyEstablished,
  kUdpTunnelUpstreamConnected,
  kUdpPeriodic,
  kUdpSessionEnd,
  kTcpConnectionStart,
  kCount
};

using net::TlsFacts;

// A host that a connection was tried to. Both belong to who names it.
struct UpstreamHost {
  const net::Address* address = nullptr;
  std::string_view name;
};

// Of an exchange that is under way: what its messages took on the wire so far. Thread: worker.
class LiveBytes {
 public:
  virtual http::ByteMeter downstream_bytes() const = 0;
  virtual http::ByteMeter upstream_bytes() const = 0;  // of all tries

 protected:
  ~LiveBytes() = default;
};

// The protocols of a connection, as its listener filters found them. Thread: its listener's.
struct Detected {
  std::string_view transport_protocol;  // "tls", "raw_buffer"
  std::span<const std::string> application_protocols;
};

// Thread: its exchange's.
struct Facts {
  // Who and when. Points in time are kUnset until they happen.
  WallTime start_wall;
  MonotonicTime start;                 // first byte of the request
  MonotonicTime request_end = kUnset;  // last byte of the request received
  MonotonicTime upstream_connect_start = kUnset;
  MonotonicTime upstream_connected = kUnset;
  MonotonicTime upstream_tx_start = kUnset;  // first byte sent upstream
  MonotonicTime upstream_tx_end = kUnset;
  MonotonicTime upstream_rx_start = kUnset;  // first byte of the response from upstream
  MonotonicTime upstream_rx_end = kUnset;
  MonotonicTime response_start = kUnset;            // first byte of the response sent downstream
  MonotonicTime response_end = kUnset;              // last byte of the response sent downstream
  MonotonicTime end = kUnset;                       // the exchange (or connection) is over
  MonotonicTime downstream_handshake_end = kUnset;  // of TLS
  MonotonicTime upstream_handshake_end = kUnset;
  Duration pool_wait{-1};  // from asking the pool to having a stream; negative: never had one
  WallTime emitted;        // when the line is written; 0: derived from start_wall and end
  uint64_t connection_id = 0;
  uint64_t upstream_connection_id = 0;
  uint64_t stream_id = 0;

  // Downstream. `remote` is the client after X-Forwarded-For; `direct_remote` the peer of the connection.
  const net::Address* remote = nullptr;
  const net::Address* direct_remote = nullptr;
  const net::Address* local = nullptr;         // after original_dst
  const net::Address* direct_local = nullptr;  // of the socket; null: the same as `local`
  const TlsFacts* downstream_tls = nullptr;    // null: not TLS
  std::string_view downstream_failure;         // %DOWNSTREAM_TRANSPORT_FAILURE_REASON%
  http::Protocol protocol = http::Protocol::kHttp11;
  bool has_protocol = false;

  // The messages, null when there is none.
  const http::RequestHeaders* request = nullptr;
  const http::HeaderMap* request_trailers = nullptr;
  const http::ResponseHeaders* response = nullptr;
  const http::HeaderMap* response_trailers = nullptr;
  std::string_view original_path;    // before normalisation and rewrites; empty: as it is
  uint64_t bytes_received = 0;       // of the request body
  uint64_t bytes_sent = 0;           // of the response body
  http::ByteMeter downstream_bytes;  // when a line is written that tells them
  http::ByteMeter upstream_bytes;    // of all tries that are over
  // What headers and local replies show, which are made while bytes are still counted; null: what stands above.
  const LiveBytes* live_bytes = nullptr;

  // How it ended.
  uint16_t response_code = 0;            // 0: no response was started
  std::string_view details;              // %RESPONSE_CODE_DETAILS%
  std::string_view termination_details;  // %CONNECTION_TERMINATION_DETAILS%
  std::string_view close_reason;         // why we closed a connection of bytes
  bool client_reset = false;             // ... or the client reset it
  std::string_view local_reply_body;
  std::string_view upstream_failure;  // %UPSTREAM_TRANSPORT_FAILURE_REASON%
  Flags flags;
  bool health_check = false;  // the health_check filter recognised it (not_health_check_filter)
  bool traced = false;        // a trace is sampled (traceable_filter)
  LogType log_type = LogType::kNotSet;

  // Where it went.
  std::string_view route_name;
  std::string_view virtual_cluster;
  std::string_view cluster;  // the observable name (alt_stat_name)
  std::string_view cluster_raw;
  std::string_view filter_chain;
  std::string_view listener;
  std::string_view requested_server_name;
  const Detected* detected = nullptr;  // only while a filter chain is chosen
  const net::Address* upstream_host = nullptr;
  std::string_view upstream_hostname;
  const net::Address* upstream_elsewhere = nullptr;  // null: the connection went to upstream_host
  net::Address upstream_local;
  http::Protocol upstream_protocol = http::Protocol::kHttp11;
  bool has_upstream_protocol = false;
  uint32_t attempts = 0;
  const TlsFacts* upstream_tls = nullptr;   // null: not TLS
  std::span<const UpstreamHost> attempted;  // of a connection's bytes, before upstream_host

  // What filters and configuration say; null when there is nothing.
  const Metadata* metadata = nullptr;  // dynamic: of this exchange
  const Metadata* route_metadata = nullptr;
  const Metadata* virtual_host_metadata = nullptr;
  const Metadata* listener_metadata = nullptr;
  const Metadata* cluster_metadata = nullptr;
  const Metadata* upstream_metadata = nullptr;  // of the chosen host
  const FilterState* filter_state = nullptr;

  std::string_view trace_id;  // lower-case hex; empty: no tracer, or not traced
  std::string_view span_id;   // the same of the span of this exchange
  Random* random = nullptr;   // the worker's, for %UNIQUE_ID% and runtime_filter
};

}  // namespace sluice::format
