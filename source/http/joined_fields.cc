#include "http/joined_fields.h"

#include <algorithm>
#include <array>
#include <span>

namespace sluice::http {
namespace {

// What Envoy 1.40 was seen to join, each field sent twice both ways.
constexpr TokenSet kOfRequests{
    Token::kAccept, Token::kAcceptEncoding, Token::kAuthorization, Token::kCacheControl, Token::kConnection,
    Token::kContentEncoding, Token::kContentType, Token::kExpect, Token::kGrpcTimeout, Token::kKeepAlive,
    Token::kOrigin, Token::kProxyConnection, Token::kReferer, Token::kTe, Token::kUpgrade, Token::kUserAgent,
    Token::kVia, Token::kXClientTraceId, Token::kXForwardedClientCert, Token::kXForwardedFor, Token::kXForwardedHost,
    Token::kXForwardedPort, Token::kXForwardedProto, Token::kXRequestId, Token::kXEnvoyAttemptCount,
    Token::kXEnvoyDecoratorOperation, Token::kXEnvoyDownstreamServiceCluster, Token::kXEnvoyDownstreamServiceNode,
    Token::kXEnvoyExpectedRqTimeoutMs, Token::kXEnvoyExternalAddress, Token::kXEnvoyForceTrace,
    Token::kXEnvoyHedgeOnPerTryTimeout, Token::kXEnvoyInternal, Token::kXEnvoyIpTags, Token::kXEnvoyIsTimeoutRetry,
    Token::kXEnvoyMaxRetries, Token::kXEnvoyOriginalHost, Token::kXEnvoyOriginalPath, Token::kXEnvoyOriginalUrl,
    Token::kXEnvoyRetriableHeaderNames, Token::kXEnvoyRetriableStatusCodes, Token::kXEnvoyRetryGrpcOn,
    Token::kXEnvoyRetryOn, Token::kXEnvoyUpstreamAltStatName, Token::kXEnvoyUpstreamRqPerTryTimeoutMs,
    Token::kXEnvoyUpstreamRqTimeoutAltResponse, Token::kXEnvoyUpstreamRqTimeoutMs,
    Token::kXEnvoyUpstreamStreamDurationMs,
};
constexpr TokenSet kOfResponses{
    Token::kCacheControl, Token::kConnection, Token::kContentEncoding, Token::kContentType, Token::kDate, Token::kEtag,
    Token::kGrpcMessage, Token::kGrpcStatus, Token::kKeepAlive, Token::kLocation, Token::kProxyConnection,
    Token::kServer, Token::kUpgrade, Token::kVary, Token::kVia, Token::kXRequestId, Token::kXEnvoyAttemptCount,
    Token::kXEnvoyDecoratorOperation, Token::kXEnvoyDegraded, Token::kXEnvoyImmediateHealthCheckFail,
    Token::kXEnvoyRateLimited, Token::kXEnvoyUpstreamCanary, Token::kXEnvoyUpstreamServiceTime,
};

// The same without tokens.
constexpr std::string_view kNamesOfRequests[] = {
    "access-control-request-headers", "access-control-request-method", "access-control-request-private-network",
    "cdn-loop", "grpc-accept-encoding", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "pragma", "proxy-status",
};
constexpr std::string_view kNamesOfResponses[] = {
    "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
    "access-control-allow-origin", "access-control-allow-private-network", "access-control-expose-headers",
    "access-control-max-age", "age", "expires", "last-modified", "proxy-status",
    "x-envoy-upstream-healthchecked-cluster",
};

constexpr uint64_t bit_of(size_t number) { return uint64_t{1} << (number % 64); }

// What is joined in one direction. `sizes`: the lengths of the names, so that most names need no comparison.
struct Joined {
  TokenSet tokens;
  std::span<const std::string_view> names;
  uint64_t sizes = 0;

  constexpr Joined(const TokenSet& set, std::span<const std::string_view> list) : tokens(set), names(list) {
    for (const std::string_view name : list) sizes |= bit_of(name.size());
  }
};
constexpr Joined kRequest{kOfRequests, kNamesOfRequests};
constexpr Joined kResponse{kOfResponses, kNamesOfResponses};
static_assert(std::size(kNamesOfRequests) <= 64 && std::size(kNamesOfResponses) <= 64);

template <typename Is>
std::string_view joined_values(const HeaderMap& fields, Is is) {
  size_t size = 0;
  for (const HeaderField& field : fields) {
    if (is(field)) size += field.value_size + 1u;
  }
  char* const start = static_cast<char*>(fields.arena().allocate(size, 1));
  char* at = start;
  for (const HeaderField& field : fields) {
    if (!is(field) || field.value_size == 0) continue;
    if (at != start) *at++ = ',';
    at = std::copy_n(field.value_data, field.value_size, at);
  }
  return {start, static_cast<size_t>(at - start)};
}

void join_token(HeaderMap& fields, Token token) {
  fields.set(token, joined_values(fields, [token](const HeaderField& field) { return field.token == token; }));
}

void join_name(HeaderMap& fields, std::string_view name) {
  fields.set(name, joined_values(fields, [name](const HeaderField& field) { return field.name() == name; }));
}

// The bit of the name in `joined.names`, 0 when it is none of them.
uint64_t bit_of_name(const Joined& joined, const HeaderField& field) {
  const auto found = std::find(joined.names.begin(), joined.names.end(), field.name());
  return found == joined.names.end() ? 0 : bit_of(static_cast<size_t>(found - joined.names.begin()));
}

}  // namespace

TokenSet join_repeated(HeaderMap& fields, Direction direction) {
  const Joined& joined = direction == Direction::kRequest ? kRequest : kResponse;
  TokenSet present;
  TokenSet twice;
  uint64_t names = 0, names_twice = 0;
  bool any = false;
  for (const HeaderField& field : fields) {
    if (field.token == Token::kNone) {
      if ((joined.sizes & bit_of(field.name_size)) == 0) continue;
      const uint64_t bit = bit_of_name(joined, field);
      names_twice |= names & bit;
      names |= bit;
    } else if (!present.insert(field.token) && joined.tokens.has(field.token)) [[unlikely]] {
      twice.add(field.token);
      any = true;
    }
  }
  // After set() one line of the name is left, so each is joined once.
  for (uint32_t i = 0; any && i < fields.size(); ++i) {
    const Token token = fields.begin()[i].token;
    if (twice.has(token) && fields.count(token) > 1) join_token(fields, token);
  }
  for (size_t i = 0; names_twice != 0; ++i, names_twice >>= 1) {
    if ((names_twice & 1) != 0) join_name(fields, joined.names[i]);
  }
  return present;
}

std::string_view joined(const HeaderMap& fields, std::string_view name) {
  if (fields.count(name) < 2) return fields.get(name);
  std::string all;
  for (const HeaderField& field : fields) {
    if (field.name() == name) append(all, all.empty() ? "" : ",", field.value());
  }
  return fields.arena().copy(all);
}

}  // namespace sluice::http
