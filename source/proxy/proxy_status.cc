#include "proxy/proxy_status.h"

#include <string>
#include <string_view>

#include "format/response_flags.h"

namespace sluice::proxy {
namespace {

using format::Flag;

constexpr std::string_view kName = "proxy-status";

struct ErrorOfFlag {
  Flag flag;
  std::string_view error;  // RFC 9209 2.3
  uint16_t status;         // that the RFC recommends
};

// The first flag that is set decides, in Envoy's order.
constexpr ErrorOfFlag kErrors[] = {
    {Flag::kFailedLocalHealthCheck, "destination_unavailable", 503},
    {Flag::kNoHealthyUpstream, "destination_unavailable", 503},
    {Flag::kUpstreamRequestTimeout, "http_response_timeout", 504},
    {Flag::kLocalReset, "connection_timeout", 504},
    {Flag::kUpstreamRemoteReset, "connection_terminated", 502},
    {Flag::kUpstreamConnectionFailure, "connection_refused", 502},
    {Flag::kUpstreamConnectionTermination, "connection_terminated", 502},
    {Flag::kUpstreamOverflow, "connection_limit_reached", 503},
    {Flag::kNoRouteFound, "destination_not_found", 500},
    {Flag::kRateLimited, "connection_limit_reached", 503},
    {Flag::kRateLimitServiceError, "connection_limit_reached", 503},
    {Flag::kUpstreamRetryLimitExceeded, "destination_unavailable", 503},
    {Flag::kStreamIdleTimeout, "http_response_timeout", 504},
    {Flag::kInvalidEnvoyRequestHeaders, "http_request_error", 400},
    {Flag::kDownstreamProtocolError, "http_request_error", 400},
    {Flag::kUpstreamMaxStreamDurationReached, "http_response_timeout", 504},
    {Flag::kNoFilterConfigFound, "proxy_configuration_error", 500},
    {Flag::kUpstreamProtocolError, "http_protocol_error", 502},
    {Flag::kNoClusterFound, "destination_unavailable", 503},
    {Flag::kDnsResolutionFailed, "dns_error", 502},
};

const ErrorOfFlag* error_of(format::Flags flags) {
  for (const ErrorOfFlag& one : kErrors) {
    if (flags.has(one.flag)) return &one;
  }
  return nullptr;
}

// Within a String of RFC 8941 3.3.3, which has visible ASCII only.
void append_quoted(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') to += '\\';
    to += c >= ' ' && c < '\x7f' ? c : '?';
  }
}

void append_details(std::string& to, const model::ProxyStatusPlan& plan, const format::Facts& facts) {
  if (!plan.details || facts.details.empty()) return;
  to += "; details=\"";
  append_quoted(to, facts.details);
  if (plan.termination_details && !facts.termination_details.empty()) {
    to += "; ";
    append_quoted(to, facts.termination_details);
  }
  if (plan.flags) {
    to += "; ";
    format::append_flags(to, facts.flags, format::FlagNames::kShort);
  }
  to += '"';
}

}  // namespace

void add_proxy_status(const model::ProxyStatusPlan& plan, const format::Facts& facts, http::ResponseHeaders& response) {
  const ErrorOfFlag* const error = error_of(facts.flags);
  if (error == nullptr) return;
  // What went wrong is rare: a text of its own is no cost that counts.
  std::string text;
  for (const http::HeaderField& field : response.fields) {
    if (field.name() == kName && !field.value().empty()) text.append(field.value()).append(", ");
  }
  response.fields.remove(kName);
  text.append(plan.name).append("; error=").append(error->error);
  append_details(text, plan, facts);
  response.fields.add(kName, response.fields.arena().copy(text));
  if (plan.recommended_status) response.status = error->status;
}

}  // namespace sluice::proxy
