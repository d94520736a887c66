#include "proxy/reason.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace sluice::proxy {
namespace {

using format::Flag;

constexpr auto kNoFlag = std::nullopt;
constexpr uint8_t kDeadlineExceeded = 4;
constexpr std::string_view kResetBefore = "upstream_reset_before_response_started";
constexpr std::string_view kResetAfter = "upstream_reset_after_response_started";
constexpr std::string_view kResetBody = "upstream connect error or disconnect/reset before headers. ";

// In the order of Reason.
// clang-format off
constexpr auto kTable = std::to_array<ReasonFacts>({
  {Reason::kViaUpstream, 0, kNoFlag, "via_upstream", "",
   "The answer came from the upstream."},
  {Reason::kDirectResponse, 0, kNoFlag, "direct_response", "",
   "The route says direct_response."},
  {Reason::kRedirect, 0, kNoFlag, "direct_response", "",
   "The route or require_tls says redirect."},
  {Reason::kInternalRedirect, 0, kNoFlag, "internal_redirect", "",
   "The upstream's redirect was followed here."},

  {Reason::kMissingHost, 400, kNoFlag, "missing_host_header", "",
   "The request has no Host field or :authority."},
  {Reason::kQueryWithoutContentType, 400, kNoFlag, "query_missing_content_type", "",
   "The request has the method QUERY and no Content-Type."},
  {Reason::kMissingPath, 404, kNoFlag, "missing_path_rejected", "",
   "The request has no path."},
  {Reason::kAbsolutePath, 404, kNoFlag, "absolute_path_rejected", "",
   "The path does not begin with a slash: '*', or an absolute target with allow_absolute_url off."},
  {Reason::kPathNormalizationFailed, 400, kNoFlag, "path_normalization_failed", "",
   "The path has a fragment or an escaped slash, or cannot be made canonical."},
  {Reason::kPathRedirect, 307, kNoFlag, "path_normalization_failed", "",
   "The path has escaped slashes: the client is sent to the canonical path."},
  {Reason::kDetectionFailed, 403, kNoFlag, "rejecting_because_detection_failed", "",
   "original_ip_detection_extensions found no client address."},
  {Reason::kLowVersion, 426, Flag::kDownstreamProtocolError, "low_version", "Upgrade Required",
   "HTTP/1.0 is not accepted here (accept_http_10)."},
  {Reason::kOverload, 503, Flag::kOverloadManager, "overload", "envoy overloaded",
   "The proxy is overloaded and takes no more requests."},

  {Reason::kRouteNotFound, 404, Flag::kNoRouteFound, "route_not_found", "",
   "No virtual host has this host, or none of its routes matches."},
  {Reason::kRouteConfigNotFound, 404, Flag::kNoRouteFound, "route_configuration_not_found", "",
   "The route configuration has not arrived yet."},
  {Reason::kClusterNotFound, 503, Flag::kNoClusterFound, "cluster_not_found", "",
   "The route names a cluster that does not exist."},
  {Reason::kNoHealthyUpstream, 503, Flag::kNoHealthyUpstream, "no_healthy_upstream", "no healthy upstream",
   "The cluster has no host that could take the request."},
  {Reason::kMaintenanceMode, 503, Flag::kUpstreamOverflow, "maintenance_mode", "maintenance mode",
   "The cluster is in maintenance mode."},
  {Reason::kDropOverload, 503, Flag::kDropOverload, "drop_overload", "drop overload",
   "The control plane asked to drop a share of the requests (drop_overloads)."},
  {Reason::kUnconditionalDropOverload, 503, Flag::kUnconditionalDropOverload, "unconditional_drop_overload",
   "unconditional drop overload",
   "The control plane asked to drop all requests (drop_overloads at 100 %)."},
  {Reason::kUpgradeFailed, 403, kNoFlag, "upgrade_failed", "",
   "The request asks for an upgrade or CONNECT that upgrade_configs do not allow."},
  {Reason::kWebSocketRefused, 0, kNoFlag, "websocket_handshake_unsuccessful", "",
   "The upstream answered an upgrade without agreeing to it."},
  {Reason::kStrictCheckFailed, 400, Flag::kInvalidEnvoyRequestHeaders, "request_headers_failed_strict_check", "",
   "An x-envoy field that is strictly checked has a bad value."},
  {Reason::kFilterConfigMissing, 500, Flag::kNoFilterConfigFound, "no_filter_config_found", "",
   "The configuration of a filter has not arrived in time."},

  {Reason::kRequestTooLarge, 413, kNoFlag, "request_payload_too_large", "Payload Too Large",
   "The request body is larger than a filter may keep."},
  {Reason::kResponseTooLarge, 500, kNoFlag, "response_payload_too_large", "Internal Server Error",
   "The response body is larger than a filter may keep."},
  {Reason::kRetryBufferFull, 507, kNoFlag, "request_payload_exceeded_retry_buffer_limit",
   "exceeded request buffer limit while retrying upstream",
   "The request body is larger than what may be kept for a retry."},

  {Reason::kRequestHeadersTimeout, 408, kNoFlag, "request_header_timeout", "request header timeout",
   "The head of the request took longer than request_headers_timeout."},
  {Reason::kRequestTimeout, 408, kNoFlag, "request_overall_timeout", "request timeout",
   "The whole request took longer than request_timeout."},
  {Reason::kStreamIdleTimeout, 504, Flag::kStreamIdleTimeout, "stream_idle_timeout", "stream timeout",
   "Nothing moved in either direction for the stream's idle timeout."},
  {Reason::kMaxStreamDuration, 504, kNoFlag, "max_duration_timeout", "downstream duration timeout",
   "The request and its response took longer than max_stream_duration or grpc-timeout.", kDeadlineExceeded},
  {Reason::kResponseTimeout, 504, Flag::kUpstreamRequestTimeout, "response_timeout", "upstream request timeout",
   "The response took longer than the route's timeout."},
  {Reason::kPerTryTimeout, 504, Flag::kUpstreamRequestTimeout, "upstream_per_try_timeout", "upstream request timeout",
   "The last try took longer than per_try_timeout."},
  {Reason::kPerTryIdleTimeout, 504, Flag::kUpstreamRequestTimeout, "upstream_per_try_idle_timeout",
   "upstream request timeout",
   "The upstream sent nothing for per_try_idle_timeout."},
  {Reason::kUpstreamMaxStreamDuration, 504, Flag::kUpstreamMaxStreamDurationReached,
   "upstream_max_stream_duration_reached", "upstream max stream duration reached",
   "The upstream stream lived longer than its max_stream_duration."},
  {Reason::kMaxConnectionDuration, 0, Flag::kDurationTimeout, "duration_timeout", "",
   "The connection lived longer than max_connection_duration."},

  {Reason::kUpstreamConnectFailure, 503, Flag::kUpstreamConnectionFailure, kResetBefore, "",
   "The upstream refused the connection, or its TLS handshake failed."},
  {Reason::kUpstreamConnectTimeout, 503, Flag::kUpstreamConnectionFailure, kResetBefore, "",
   "The upstream did not accept the connection within connect_timeout."},
  {Reason::kUpstreamConnectionTermination, 503, Flag::kUpstreamConnectionTermination, kResetBefore, "",
   "The upstream closed the connection before it answered."},
  {Reason::kUpstreamOverflow, 503, Flag::kUpstreamOverflow, kResetBefore, "",
   "A circuit breaker of the cluster is full."},
  {Reason::kUpstreamProtocolError, 502, Flag::kUpstreamProtocolError, kResetBefore, "",
   "The upstream's answer is not HTTP, or breaks its rules or our limits."},
  {Reason::kUpstreamRemoteReset, 503, Flag::kUpstreamRemoteReset, kResetBefore, "",
   "The upstream reset the stream before it answered."},
  {Reason::kUpstreamLocalReset, 503, Flag::kLocalReset, kResetBefore, "",
   "The stream to the upstream was reset by us before it was answered."},

  {Reason::kDownstreamDisconnect, 0, Flag::kDownstreamConnectionTermination, "downstream_remote_disconnect", "",
   "The client closed the connection before the exchange was complete."},
  {Reason::kDownstreamRemoteReset, 0, Flag::kDownstreamRemoteReset, "http2.remote_reset", "",
   "The client reset the stream."},
  {Reason::kDownstreamLocalDisconnect, 0, kNoFlag, "downstream_local_disconnect", "",
   "We closed the client's connection: it drains, or its time is over."},
  {Reason::kDownstreamProtocolError, 400, Flag::kDownstreamProtocolError, "http1.codec_error", "Bad Request",
   "The client's bytes are not HTTP, or break its rules or our limits; the codec names the rule in the details."},

  {Reason::kFilterGaveUp, 500, kNoFlag, "filter_gave_up", "Internal Server Error",
   "A filter paused the exchange and dropped the means to resume it."},
});
// clang-format on

static_assert(kTable.size() == static_cast<size_t>(Reason::kCount));
static_assert([] {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].reason != static_cast<Reason>(i)) return false;
  }
  return true;
}());

// Puts pieces of text one behind the other into the arena.
class Writer {
 public:
  Writer(Arena& arena, size_t bytes) : start_(static_cast<char*>(arena.allocate(bytes, 1))), at_(start_) {}
  Writer& operator<<(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);
    return *this;
  }
  // Blanks become '_', as in all details.
  std::string_view without_blanks() {
    std::replace_if(
        start_, at_, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }, '_');
    return text();
  }
  std::string_view text() const { return {start_, static_cast<size_t>(at_ - start_)}; }

 private:
  char* start_;
  char* at_;
};

}  // namespace

const ReasonFacts& facts_of(Reason reason) {
  SLUICE_DCHECK(reason < Reason::kCount);
  return kTable[static_cast<size_t>(reason)];
}

std::span<const ReasonFacts> all_reasons() { return kTable; }

Reason reason_of(upstream::ResetReason reset) {
  switch (reset) {
    case upstream::ResetReason::kConnectFailure:
    case upstream::ResetReason::kLocalConnectFailure:
      return Reason::kUpstreamConnectFailure;
    case upstream::ResetReason::kConnectTimeout:
      return Reason::kUpstreamConnectTimeout;
    case upstream::ResetReason::kConnectionTermination:
      return Reason::kUpstreamConnectionTermination;
    case upstream::ResetReason::kOverflow:
      return Reason::kUpstreamOverflow;
    case upstream::ResetReason::kProtocolError:
      return Reason::kUpstreamProtocolError;
    case upstream::ResetReason::kRemoteReset:
    case upstream::ResetReason::kRemoteRefused:
      return Reason::kUpstreamRemoteReset;
    case upstream::ResetReason::kLocalReset:
      return Reason::kUpstreamLocalReset;
  }
  return Reason::kUpstreamLocalReset;
}

UpstreamReset describe_reset(upstream::ResetReason reset, ResponseBegun begun, std::string_view failure,
                             uint32_t retries, Arena& arena) {
  constexpr std::string_view kFirst = "reset reason: ";
  constexpr std::string_view kAgain = "retried and the latest reset reason: ";
  const std::string_view words = upstream::words_of(reset);
  const std::string_view kind = begun == ResponseBegun::kYes ? kResetAfter : kResetBefore;

  Writer details(arena, kind.size() + words.size() + failure.size() + 3);
  details << kind << "{" << words << (failure.empty() ? "" : "|") << failure << "}";
  Writer body(arena, kResetBody.size() + kAgain.size() + words.size());
  body << kResetBody << (retries > 0 ? kAgain : kFirst) << words;
  return {details.without_blanks(), body.text()};
}

}  // namespace sluice::proxy
