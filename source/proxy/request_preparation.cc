#include "proxy/request_preparation.h"

#include <algorithm>

#include "base/strings.h"
#include "http/grpc.h"
#include "http/hop_by_hop.h"
#include "http/joined_fields.h"
#include "http/path.h"
#include "http/referer.h"
#include "http/token_set.h"
#include "model/header_mutations.h"
#include "proxy/client_certificate.h"
#include "proxy/request_id.h"

namespace sluice::proxy {
namespace {

using http::RequestHeaders;
using http::Token;
using http::TokenSet;

constexpr TokenSet kHopByHopOfRequests{Token::kConnection, Token::kUpgrade,         Token::kHttp2Settings,
                                       Token::kKeepAlive,  Token::kProxyConnection, Token::kTe};

// Not to be believed when the request is not internal: with them a client could steer retries, timeouts and tracing.
constexpr TokenSet kInternalOnly{
    Token::kXEnvoyRetriableStatusCodes,
    Token::kXEnvoyRetriableHeaderNames,
    Token::kXEnvoyRetryOn,
    Token::kXEnvoyRetryGrpcOn,
    Token::kXEnvoyMaxRetries,
    Token::kXEnvoyUpstreamAltStatName,
    Token::kXEnvoyUpstreamRqTimeoutMs,
    Token::kXEnvoyUpstreamRqPerTryTimeoutMs,
    Token::kXEnvoyUpstreamRqTimeoutAltResponse,
    Token::kXEnvoyUpstreamStreamDurationMs,
    Token::kXEnvoyExpectedRqTimeoutMs,
    Token::kXEnvoyHedgeOnPerTryTimeout,
    Token::kXEnvoyForceTrace,
    Token::kXEnvoyIpTags,
    Token::kXEnvoyOriginalUrl,
};

// What only the edge removes: the next hops of a mesh hand these on to each other.
constexpr TokenSet kEdgeOnly{
    Token::kXEnvoyDecoratorOperation,    Token::kXEnvoyDownstreamServiceCluster,
    Token::kXEnvoyDownstreamServiceNode, Token::kXEnvoyOriginalPath,
    Token::kXEnvoyOriginalHost,
};

// The answer of the table.
constexpr std::string_view kQuery = "QUERY";

const LocalReply* refusal(Reason reason, RequestHeaders& request) {
  return request.fields.arena().create<LocalReply>(reply_of(reason));
}

// The literal for a scheme that we forward, in any letters; empty for others.
std::string_view known_scheme(std::string_view text) {
  if (text == "http" || text == "https") return text.size() == 4 ? "http" : "https";
  if (equal_ignore_case(text, "http")) return "http";
  if (equal_ignore_case(text, "https")) return "https";
  return {};
}

http::PathRules path_rules(const model::HttpPlan& plan) {
  return {plan.normalize_path, plan.merge_slashes, plan.escaped_slashes, plan.fragment};
}

// Checks the path and makes it canonical. With a reply the request is not to be routed.
void prepare_path(const model::HttpPlan& plan, RequestHeaders& request, Prepared& out) {
  if (request.path.empty()) {
    if (request.tunnel != http::Tunnel::kConnect) out.reply = refusal(Reason::kMissingPath, request);
    return;
  }
  if (request.path[0] != '/') {  // "*" too, and absolute targets that the codec was told not to take apart
    out.stat = stats::HttpStat::kDownstreamRqNonRelativePath;
    out.reply = refusal(Reason::kAbsolutePath, request);
    return;
  }
  const http::PathVerdict verdict = http::apply_path_rules(path_rules(plan), request.path, request.fields.arena());
  if (verdict == http::PathVerdict::kContinue) return;
  if (verdict == http::PathVerdict::kRedirect && !http::is_grpc(request.fields)) {
    LocalReply reply = reply_of(Reason::kPathRedirect);
    reply.location = request.path;
    out.stat = stats::HttpStat::kDownstreamRqRedirectedWithNormalizedPath;
    out.reply = request.fields.arena().create<LocalReply>(reply);
    return;
  }
  out.stat = stats::HttpStat::kDownstreamRqFailedPathNormalization;
  out.reply = refusal(Reason::kPathNormalizationFailed, request);
}

void prepare_host(const model::HttpPlan& plan, const Peer& peer, RequestHeaders& request) {
  if (plan.strip_trailing_host_dot) {
    request.authority = http::strip_trailing_dot(request.authority, request.fields.arena());
  }
  if (plan.strip_any_host_port) {
    request.authority = http::strip_port(request.authority);
  } else if (plan.strip_matching_host_port) {
    request.authority = http::strip_port(request.authority, peer.local.port());
  }
}

std::string_view scheme_of_connection(const model::HttpPlan& plan, const Peer& peer) {
  if (peer.local_restored) {
    for (const auto& [port, scheme] : plan.forward_proto) {
      if (port == peer.local.port()) return scheme;
    }
  }
  return peer.tls ? "https" : "http";
}

// x-forwarded-proto, x-forwarded-port and the scheme. What came is believed unless we look at the peer ourselves and
// no proxy before us is trusted.
void prepare_forwarded(const model::HttpPlan& plan, const Peer& peer, RequestHeaders& request) {
  http::HeaderMap& fields = request.fields;
  const std::string_view of_connection = scheme_of_connection(plan, peer);
  const bool believe = !plan.use_remote_address || plan.xff_num_trusted_hops > 0;
  std::string_view proto = fields.get(Token::kXForwardedProto);
  if (proto.data() == nullptr) {
    fields.add(Token::kXForwardedProto, proto = of_connection);
  } else if (!believe) {
    fields.set(Token::kXForwardedProto, proto = of_connection);
  }
  if (plan.append_x_forwarded_port && peer.local.is_ip() && (!believe || !fields.has(Token::kXForwardedPort))) {
    fields.set(Token::kXForwardedPort, fields.arena().copy(Piece(peer.local.port()).text()));
  }
  if (!plan.scheme_to_overwrite.empty()) {
    request.scheme = plan.scheme_to_overwrite;
    fields.set(Token::kXForwardedProto, plan.scheme_to_overwrite);
    return;
  }
  std::string_view scheme = request.scheme.empty() ? request.scheme : known_scheme(request.scheme);
  if (scheme.empty()) scheme = known_scheme(proto);
  request.scheme = scheme.empty() ? of_connection : scheme;
}

bool keeps_client_certificate(const model::HttpPlan& plan, const Peer& peer) {
  switch (plan.client_cert) {
    case model::ClientCertDetails::kAlwaysForwardOnly:
      return true;
    case model::ClientCertDetails::kForwardOnly:
    case model::ClientCertDetails::kAppendForward:
      return peer.client_certificate;
    case model::ClientCertDetails::kSanitize:
    case model::ClientCertDetails::kSanitizeSet:
      return false;
  }
  return false;
}

// Fields that the next hop would believe to be ours.
TokenSet unbelieved(const model::HttpPlan& plan, const Peer& peer, bool internal) {
  TokenSet out{Token::kXEnvoyInternal};
  if (!internal) {
    out.add(kInternalOnly);
    if (plan.use_remote_address) out.add(kEdgeOnly);
  }
  if (!keeps_client_certificate(plan, peer)) out.add(Token::kXForwardedClientCert);
  return out;
}

void add_user_agent(const model::HttpPlan& plan, http::HeaderMap& fields) {
  if (!plan.node_cluster.empty()) {
    fields.set(Token::kXEnvoyDownstreamServiceCluster, plan.node_cluster);
    if (fields.get(Token::kUserAgent).empty()) fields.set(Token::kUserAgent, plan.node_cluster);
  }
  if (!plan.node_id.empty()) fields.set(Token::kXEnvoyDownstreamServiceNode, plan.node_id);
}

}  // namespace

Prepared prepare_request(const model::HttpPlan& plan, RequestHeaders& request, const Peer& peer,
                         const format::Facts& facts, Random& random) {
  Prepared out;
  out.client = &peer.remote;
  // HTTP/1.0 without a Host field has the default host, which may be empty.
  const bool http10 = request.protocol == http::Protocol::kHttp10;
  if (request.authority.data() == nullptr || (http10 && request.authority.empty())) {
    out.reply = refusal(Reason::kMissingHost, request);
    return out;
  }
  if (request.method.size() == kQuery.size() && request.method == kQuery &&
      request.fields.get(Token::kContentType).empty()) {
    out.reply = refusal(Reason::kQueryWithoutContentType, request);
    return out;
  }
  prepare_path(plan, request, out);
  if (out.reply != nullptr) return out;
  prepare_host(plan, peer, request);

  http::HeaderMap& fields = request.fields;
  if (plan.early_mutations != nullptr) plan.early_mutations->apply(fields, facts);
  const TokenSet present = join_repeated(fields, plan.inline_headers->request_headers);
  if (present.intersects(kHopByHopOfRequests)) remove_hop_by_hop(request);
  if (present.has(Token::kReferer) && !http::is_good_referer(fields.get(Token::kReferer))) {
    fields.remove(Token::kReferer);
  }

  const ClientAddress client = find_client(plan, peer, fields);
  out.client = client.address;
  out.internal = client.internal;
  if (client.reject_status != 0) {
    LocalReply reply = reply_of(Reason::kDetectionFailed);
    reply.status = client.reject_status;
    out.stat = stats::HttpStat::kDownstreamRqRejectedViaIpDetection;
    out.reply = request.fields.arena().create<LocalReply>(reply);
    return out;
  }
  prepare_forwarded(plan, peer, request);

  const TokenSet drop = unbelieved(plan, peer, client.internal);
  if (present.intersects(drop)) {
    fields.remove_if([&drop](const http::HeaderField& field) { return drop.has(field.token); });
  }
  if (client.internal) fields.set(Token::kXEnvoyInternal, "true");
  if (plan.add_user_agent) add_user_agent(plan, fields);
  if (!plan.via.empty()) fields.append_value(Token::kVia, plan.via, ", ");

  const Edge edge = plan.use_remote_address && !client.internal ? Edge::kYes : Edge::kNo;
  if (edge == Edge::kYes && client.address->is_ip()) {
    fields.set(Token::kXEnvoyExternalAddress, ip_text(*client.address, fields.arena()));
  }
  set_request_id(plan, edge, request, random);
  if (peer.tls_facts != nullptr) forward_client_certificate(plan, *peer.tls_facts, fields);
  out.upgrade = wanted_upgrade(request);
  return out;
}

std::string_view wanted_upgrade(const RequestHeaders& request) {
  switch (request.tunnel) {
    case http::Tunnel::kNone:
      return {};
    case http::Tunnel::kUpgrade:
      return request.fields.get(Token::kUpgrade);
    case http::Tunnel::kConnect:
      return "CONNECT";
  }
  return {};
}

bool upgrade_allowed(std::string_view type, std::span<const model::Upgrade> of_route,
                     std::span<const model::Upgrade> of_plan) {
  for (const auto& list : {of_route, of_plan}) {
    for (const model::Upgrade& upgrade : list) {
      if (equal_ignore_case(upgrade.type, type)) return upgrade.enabled;
    }
  }
  return false;
}

}  // namespace sluice::proxy
