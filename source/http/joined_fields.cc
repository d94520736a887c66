#include "http/joined_fields.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/strings.h"

namespace sluice::http {
namespace {

// What Envoy 1.40 was seen to join, each field sent twice both ways.
constexpr TokenSet kOfRequests{
    Token::kAccept,
    Token::kAcceptEncoding,
    Token::kAuthorization,
    Token::kCacheControl,
    Token::kConnection,
    Token::kContentEncoding,
    Token::kContentType,
    Token::kExpect,
    Token::kGrpcTimeout,
    Token::kKeepAlive,
    Token::kOrigin,
    Token::kProxyConnection,
    Token::kReferer,
    Token::kTe,
    Token::kUpgrade,
    Token::kUserAgent,
    Token::kVia,
    Token::kXClientTraceId,
    Token::kXForwardedClientCert,
    Token::kXForwardedFor,
    Token::kXForwardedHost,
    Token::kXForwardedPort,
    Token::kXForwardedProto,
    Token::kXRequestId,
    Token::kXEnvoyAttemptCount,
    Token::kXEnvoyDecoratorOperation,
    Token::kXEnvoyDownstreamServiceCluster,
    Token::kXEnvoyDownstreamServiceNode,
    Token::kXEnvoyExpectedRqTimeoutMs,
    Token::kXEnvoyExternalAddress,
    Token::kXEnvoyForceTrace,
    Token::kXEnvoyHedgeOnPerTryTimeout,
    Token::kXEnvoyInternal,
    Token::kXEnvoyIpTags,
    Token::kXEnvoyIsTimeoutRetry,
    Token::kXEnvoyMaxRetries,
    Token::kXEnvoyOriginalHost,
    Token::kXEnvoyOriginalPath,
    Token::kXEnvoyOriginalUrl,
    Token::kXEnvoyRetriableHeaderNames,
    Token::kXEnvoyRetriableStatusCodes,
    Token::kXEnvoyRetryGrpcOn,
    Token::kXEnvoyRetryOn,
    Token::kXEnvoyUpstreamAltStatName,
    Token::kXEnvoyUpstreamRqPerTryTimeoutMs,
    Token::kXEnvoyUpstreamRqTimeoutAltResponse,
    Token::kXEnvoyUpstreamRqTimeoutMs,
    Token::kXEnvoyUpstreamStreamDurationMs,
};
constexpr TokenSet kOfResponses{
    Token::kCacheControl,
    Token::kConnection,
    Token::kContentEncoding,
    Token::kContentType,
    Token::kDate,
    Token::kEtag,
    Token::kGrpcMessage,
    Token::kGrpcStatus,
    Token::kKeepAlive,
    Token::kLocation,
    Token::kProxyConnection,
    Token::kServer,
    Token::kUpgrade,
    Token::kVary,
    Token::kVia,
    Token::kXRequestId,
    Token::kXEnvoyAttemptCount,
    Token::kXEnvoyDecoratorOperation,
    Token::kXEnvoyDegraded,
    Token::kXEnvoyImmediateHealthCheckFail,
    Token::kXEnvoyRateLimited,
    Token::kXEnvoyUpstreamCanary,
    Token::kXEnvoyUpstreamServiceTime,
};

// The same without tokens.
constexpr std::string_view kNamesOfRequests[] = {
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "cdn-loop",
    "grpc-accept-encoding",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "pragma",
    "proxy-status",
};
constexpr std::string_view kNamesOfResponses[] = {
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "expires",
    "last-modified",
    "proxy-status",
    "x-envoy-upstream-healthchecked-cluster",
};

constexpr uint64_t bit_of(size_t number) { return uint64_t{1} << (number % 64); }

template <size_t N>
std::vector<std::string> list_of(const std::string_view (&names)[N]) {
  return {std::begin(names), std::end(names)};
}

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

// The bit of the name in the list, 0 when it is none of them.
uint64_t bit_of_name(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? 0 : bit_of(static_cast<size_t>(found - names.begin()));
}

}  // namespace

JoinedNames::JoinedNames(const TokenSet& tokens, std::vector<std::string> names)
    : tokens_(tokens), names_(std::move(names)), empty_(false) {
  for (const std::string& name : names_) sizes_ |= bit_of(name.size());
}

bool JoinedNames::add(std::string_view name) {
  empty_ = false;
  if (const Token token = token_of(name); token != Token::kNone) {
    tokens_.add(token);
    return true;
  }
  if (has(name)) return true;
  if (names_.size() == kMost) return false;
  names_.emplace_back(name);
  sizes_ |= bit_of(name.size());
  return true;
}

bool JoinedNames::has(std::string_view name) const {
  const Token token = token_of(name);
  return token != Token::kNone ? tokens_.has(token) : std::find(names_.begin(), names_.end(), name) != names_.end();
}

const std::shared_ptr<const InlineHeaders>& InlineHeaders::builtin() {
  static const auto& all = *new std::shared_ptr<const InlineHeaders>(std::make_shared<const InlineHeaders>(
      InlineHeaders{{kOfRequests, list_of(kNamesOfRequests)}, {}, {kOfResponses, list_of(kNamesOfResponses)}, {}}));
  return all;
}

TokenSet join_repeated(HeaderMap& fields, const JoinedNames& joined) {
  TokenSet present;
  TokenSet twice;
  uint64_t names = 0, names_twice = 0;
  bool any = false;
  for (const HeaderField& field : fields) {
    if (field.token == Token::kNone) {
      if ((joined.sizes_ & bit_of(field.name_size)) == 0) continue;
      const uint64_t bit = bit_of_name(joined.names_, field.name());
      names_twice |= names & bit;
      names |= bit;
    } else if (!present.insert(field.token) && joined.tokens_.has(field.token)) [[unlikely]] {
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
    if ((names_twice & 1) != 0) join_name(fields, joined.names_[i]);
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
