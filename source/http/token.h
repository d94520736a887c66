// Token: the header names that the proxy itself looks at, as small numbers, so that a look-up compares a byte.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::http {

// clang-format off
#define SLUICE_HTTP_TOKENS(X) \
  X(kAccept, "accept") X(kAcceptEncoding, "accept-encoding") X(kAuthorization, "authorization") \
  X(kCacheControl, "cache-control") X(kConnection, "connection") X(kContentEncoding, "content-encoding") \
  X(kContentLength, "content-length") X(kContentType, "content-type") X(kCookie, "cookie") X(kDate, "date") \
  X(kEtag, "etag") X(kExpect, "expect") X(kForwarded, "forwarded") X(kGrpcEncoding, "grpc-encoding") \
  X(kGrpcMessage, "grpc-message") X(kGrpcStatus, "grpc-status") X(kGrpcTimeout, "grpc-timeout") X(kHost, "host") \
  X(kHttp2Settings, "http2-settings") X(kKeepAlive, "keep-alive") X(kLocation, "location") X(kOrigin, "origin") \
  X(kProxyConnection, "proxy-connection") X(kReferer, "referer") X(kServer, "server") X(kSetCookie, "set-cookie") \
  X(kTe, "te") X(kTraceparent, "traceparent") X(kTracestate, "tracestate") X(kTrailer, "trailer") \
  X(kTransferEncoding, "transfer-encoding") X(kUpgrade, "upgrade") X(kUserAgent, "user-agent") X(kVary, "vary") \
  X(kVia, "via") X(kXClientTraceId, "x-client-trace-id") X(kXForwardedClientCert, "x-forwarded-client-cert") \
  X(kXForwardedFor, "x-forwarded-for") X(kXForwardedHost, "x-forwarded-host") X(kXForwardedPort, "x-forwarded-port") \
  X(kXForwardedProto, "x-forwarded-proto") X(kXRequestId, "x-request-id") \
  X(kXEnvoyAttemptCount, "x-envoy-attempt-count") X(kXEnvoyDecoratorOperation, "x-envoy-decorator-operation") \
  X(kXEnvoyDegraded, "x-envoy-degraded") X(kXEnvoyDownstreamServiceCluster, "x-envoy-downstream-service-cluster") \
  X(kXEnvoyDownstreamServiceNode, "x-envoy-downstream-service-node") \
  X(kXEnvoyExpectedRqTimeoutMs, "x-envoy-expected-rq-timeout-ms") \
  X(kXEnvoyExternalAddress, "x-envoy-external-address") X(kXEnvoyForceTrace, "x-envoy-force-trace") \
  X(kXEnvoyHedgeOnPerTryTimeout, "x-envoy-hedge-on-per-try-timeout") \
  X(kXEnvoyImmediateHealthCheckFail, "x-envoy-immediate-health-check-fail") X(kXEnvoyInternal, "x-envoy-internal") \
  X(kXEnvoyIpTags, "x-envoy-ip-tags") X(kXEnvoyIsTimeoutRetry, "x-envoy-is-timeout-retry") \
  X(kXEnvoyLocalOverloaded, "x-envoy-local-overloaded") X(kXEnvoyMaxRetries, "x-envoy-max-retries") \
  X(kXEnvoyOriginalHost, "x-envoy-original-host") X(kXEnvoyOriginalMethod, "x-envoy-original-method") \
  X(kXEnvoyOriginalPath, "x-envoy-original-path") X(kXEnvoyOriginalUrl, "x-envoy-original-url") \
  X(kXEnvoyOverloaded, "x-envoy-overloaded") X(kXEnvoyRateLimited, "x-envoy-ratelimited") \
  X(kXEnvoyRetriableHeaderNames, "x-envoy-retriable-header-names") \
  X(kXEnvoyRetriableStatusCodes, "x-envoy-retriable-status-codes") X(kXEnvoyRetryGrpcOn, "x-envoy-retry-grpc-on") \
  X(kXEnvoyRetryOn, "x-envoy-retry-on") X(kXEnvoyUpstreamAltStatName, "x-envoy-upstream-alt-stat-name") \
  X(kXEnvoyUpstreamCanary, "x-envoy-upstream-canary") \
  X(kXEnvoyUpstreamRqPerTryTimeoutMs, "x-envoy-upstream-rq-per-try-timeout-ms") \
  X(kXEnvoyUpstreamRqTimeoutAltResponse, "x-envoy-upstream-rq-timeout-alt-response") \
  X(kXEnvoyUpstreamRqTimeoutMs, "x-envoy-upstream-rq-timeout-ms") \
  X(kXEnvoyUpstreamServiceTime, "x-envoy-upstream-service-time") \
  X(kXEnvoyUpstreamStreamDurationMs, "x-envoy-upstream-stream-duration-ms")
// clang-format on

enum class Token : uint8_t {
  kNone,  // any name that is not in the list
#define SLUICE_HTTP_TOKEN(id, name) id,
  SLUICE_HTTP_TOKENS(SLUICE_HTTP_TOKEN)
#undef SLUICE_HTTP_TOKEN
      kCount
};
static_assert(static_cast<int>(Token::kCount) <= 128);

std::string_view name_of(Token token);
// By lower-case name; kNone when it is not in the list.
Token token_of(std::string_view name);
// The same for a name of at most 16 bytes that stands in two little-endian words, zeros behind it.
Token token_of_words(uint64_t low, uint64_t high);

}  // namespace sluice::http
