#include "proxy/reason_text.h"

#include <array>

#include "base/check.h"
#include "base/strings.h"
#include "format/response_flags.h"

namespace sluice::proxy {
namespace {

struct Hint {
  Reason reason;
  std::string_view text;
};

// In the order of Reason.
constexpr auto kHints = std::to_array<Hint>({
    {Reason::kViaUpstream, "Nothing was wrong here; %UPSTREAM_HOST% says who answered."},
    {Reason::kDirectResponse, "%ROUTE_NAME% says which route it was."},
    {Reason::kRedirect, "Look at the redirect of the route, or at require_tls of the virtual host."},
    {Reason::kInternalRedirect, "Each hop has a log line of its own; look at internal_redirect_policy."},
    {Reason::kMissingHost, "HTTP/1.0 clients without Host need default_host_for_http_10."},
    {Reason::kQueryWithoutContentType,
     "What a query means stands in its content: a client must say of which type it is."},
    {Reason::kMissingPath, "Only CONNECT may come without a path."},
    {Reason::kAbsolutePath, "allow_absolute_url takes absolute targets; a path must begin with a slash."},
    {Reason::kPathNormalizationFailed,
     "Look at path_with_escaped_slashes_action and normalize_path of the connection manager."},
    {Reason::kPathRedirect, "path_with_escaped_slashes_action is UNESCAPE_AND_REDIRECT."},
    {Reason::kDetectionFailed, "The header that the extension reads is missing or holds no IP address."},
    {Reason::kLowVersion, "accept_http_10 of http_protocol_options lets HTTP/1.0 in."},
    {Reason::kOverload, "Look at overload_manager and at the memory of the process."},
    {Reason::kRouteNotFound,
     "Compare %REQ(:AUTHORITY)% with the domains, and the path, method and headers with the matches."},
    {Reason::kRouteConfigNotFound, "Look at the connection to the control plane, and at rds.*.update_rejected."},
    {Reason::kClusterNotFound, "Compare the name with /clusters; with cluster_header, look at that header."},
    {Reason::kNoHealthyUpstream, "Look at /clusters: no endpoints, failed health checks, or all hosts ejected."},
    {Reason::kMaintenanceMode, "Look at the runtime key upstream.maintenance_mode.CLUSTER."},
    {Reason::kDropOverload, "Look at drop_overloads in the policy of the endpoint assignment."},
    {Reason::kUnconditionalDropOverload, "Look at drop_overloads in the policy of the endpoint assignment."},
    {Reason::kUpgradeFailed, "Name the type in upgrade_configs of the connection manager or the route."},
    {Reason::kWebSocketRefused, "The upstream must answer 101; look at the path and the host that it gets."},
    {Reason::kStrictCheckFailed, "Look at strict_check_headers of the router, and at the value that came."},
    {Reason::kFilterConfigMissing, "Look at config_discovery of the filter, and whether its source answers."},
    {Reason::kRequestTooLarge, "Raise the limit of the filter that buffers (buffer, ext_authz, json_to_metadata)."},
    {Reason::kResponseTooLarge, "Raise the limit of the filter that buffers."},
    {Reason::kRetryBufferFull, "Raise per_request_buffer_limit_bytes, or do not retry large uploads."},
    {Reason::kRequestHeadersTimeout, "A slow or idle client; look at request_headers_timeout."},
    {Reason::kRequestTimeout, "A slow upload; look at request_timeout."},
    {Reason::kStreamIdleTimeout, "Look at stream_idle_timeout, and idle_timeout of the route."},
    {Reason::kMaxStreamDuration, "Look at max_stream_duration of the connection manager and the route."},
    {Reason::kResponseTimeout, "Look at the route's timeout (15 s unless written) and %RESPONSE_DURATION%."},
    {Reason::kPerTryTimeout,
     "Look at per_try_timeout of the retry policy, and x-envoy-upstream-rq-per-try-timeout-ms."},
    {Reason::kPerTryIdleTimeout, "Look at per_try_idle_timeout of the retry policy."},
    {Reason::kUpstreamMaxStreamDuration, "Look at max_stream_duration in common_http_protocol_options of the cluster."},
    {Reason::kMaxConnectionDuration, "Look at max_connection_duration; clients should connect again."},
    {Reason::kUpstreamConnectFailure,
     "Is something listening at %UPSTREAM_HOST%? %UPSTREAM_TRANSPORT_FAILURE_REASON% says more of TLS."},
    {Reason::kUpstreamConnectTimeout, "A firewall or a full backlog; look at connect_timeout of the cluster."},
    {Reason::kUpstreamConnectionTermination,
     "The upstream's idle timeout should be longer than the cluster's; or it crashed."},
    {Reason::kUpstreamOverflow, "Look at circuit_breakers of the cluster, and its ...circuit_breakers.*.open gauges."},
    {Reason::kUpstreamProtocolError, "Does the upstream speak the protocol that the cluster is configured for?"},
    {Reason::kUpstreamRemoteReset, "The upstream's own logs say why it reset the stream."},
    {Reason::kUpstreamLocalReset, "Look at what ended the exchange: a timeout, a drain, or a cluster that went."},
    {Reason::kDownstreamDisconnect, "The client has less patience than %DURATION%, or it was a load balancer's check."},
    {Reason::kDownstreamRemoteReset, "The client cancelled the request."},
    {Reason::kDownstreamLocalDisconnect, "The listener drains, or max_connection_duration passed."},
    {Reason::kDownstreamProtocolError, "The details name the rule; http1.* and http2.* stats count them."},
    {Reason::kFilterGaveUp, "An error in a filter of ours: please tell us with the chain of filters."},
});

static_assert(kHints.size() == static_cast<size_t>(Reason::kCount));
static_assert([] {
  for (size_t i = 0; i < kHints.size(); ++i) {
    if (kHints[i].reason != static_cast<Reason>(i)) return false;
  }
  return true;
}());

bool fits(const ReasonFacts& facts, std::string_view word) {
  if (word.empty() || facts.details == word || cat(facts.status) == word) return true;
  return facts.flag && (format::short_name(*facts.flag) == word || format::long_name(*facts.flag) == word);
}

}  // namespace

std::string_view hint_of(Reason reason) {
  SLUICE_DCHECK(reason < Reason::kCount);
  return kHints[static_cast<size_t>(reason)].text;
}

std::string reasons_text(std::string_view word) {
  std::string out;
  for (const ReasonFacts& facts : all_reasons()) {
    if (!fits(facts, word)) continue;
    append(out, facts.status == 0 ? std::string("-") : cat(facts.status), " ");
    append(out, facts.flag ? format::short_name(*facts.flag) : std::string_view("-"), " ", facts.details, "\n");
    append(out, "    ", facts.sentence, "\n    ", hint_of(facts.reason), "\n");
  }
  return out;
}

}  // namespace sluice::proxy
