// Reason: why an exchange ended as it did. One table (reason.cc) maps each to the status that the client sees, the
// response flag and details of the access log, the body, and a sentence for people.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/response_code_details
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "format/facts.h"
#include "upstream/reset_reason.h"

namespace sluice::proxy {

enum class Reason : uint8_t {
  // The answer that was asked for.
  kViaUpstream,
  kDirectResponse,
  kRedirect,
  kInternalRedirect,
  // Refused before routing.
  kMissingHost,
  kQueryWithoutContentType,
  kMissingPath,
  kAbsolutePath,
  kPathNormalizationFailed,
  kPathRedirect,
  kDetectionFailed,
  kLowVersion,
  kOverload,
  // No way to go.
  kRouteNotFound,
  kRouteConfigNotFound,
  kClusterNotFound,
  kNoHealthyUpstream,
  kMaintenanceMode,
  kDropOverload,
  kUnconditionalDropOverload,
  kUpgradeFailed,
  kWebSocketRefused,
  kStrictCheckFailed,
  kFilterConfigMissing,
  // Too big.
  kRequestTooLarge,
  kResponseTooLarge,
  kRetryBufferFull,
  // Too late. The two that say 504 say 408 while the request is not complete.
  kRequestHeadersTimeout,
  kRequestTimeout,
  kStreamIdleTimeout,
  kMaxStreamDuration,
  kResponseTimeout,
  kPerTryTimeout,
  kPerTryIdleTimeout,
  kUpstreamMaxStreamDuration,
  kMaxConnectionDuration,
  // The upstream failed, before its response began; upstream_reset() writes details and body in full.
  kUpstreamConnectFailure,
  kUpstreamConnectTimeout,
  kUpstreamConnectionTermination,
  kUpstreamOverflow,
  kUpstreamProtocolError,
  kUpstreamRemoteReset,
  kUpstreamLocalReset,
  // The client went, or broke the protocol.
  kDownstreamDisconnect,
  kDownstreamRemoteReset,
  kDownstreamLocalDisconnect,
  kDownstreamProtocolError,
  // Ours.
  kFilterGaveUp,
  kCount
};

struct ReasonFacts {
  Reason reason;
  uint16_t status;  // 0: the answer has one already, or there is no answer
  std::optional<format::Flag> flag;
  std::string_view details;                           // %RESPONSE_CODE_DETAILS%
  std::string_view body;                              // of the local reply
  std::string_view sentence;                          // for people
  std::optional<uint8_t> grpc_status = std::nullopt;  // instead of what the status maps to
};

const ReasonFacts& facts_of(Reason reason);
// The whole table, for `sluice flags` and the documents.
std::span<const ReasonFacts> all_reasons();

Reason reason_of(upstream::ResetReason reset);

// Where the response was when the upstream stream was reset.
enum class ResponseBegun : bool { kNo, kYes };

// What is said of an upstream stream that was reset. `failure` is the transport's reason ("TLS_error: ..."), often
// empty: it stands in the details but not in the body. `retries`: earlier tries were made.
struct UpstreamReset {
  std::string_view details;  // upstream_reset_before_response_started{connection_termination}, no blanks
  std::string_view body;     // upstream connect error or disconnect/reset before headers. reset reason: ...
};
UpstreamReset describe_reset(upstream::ResetReason reset, ResponseBegun begun, std::string_view failure,
                             uint32_t retries, Arena& arena);

}  // namespace sluice::proxy
