#include "model/retry_policy.h"

#include <array>
#include <span>
#include <utility>

#include "base/strings.h"

namespace sluice::model {
namespace {

using NamedToken = std::pair<std::string_view, uint32_t>;

constexpr auto kHttpTokens = std::to_array<NamedToken>({
    {"5xx", retry_on::k5xx},
    {"gateway-error", retry_on::kGatewayError},
    {"reset", retry_on::kReset},
    {"reset-before-request", retry_on::kResetBeforeRequest},
    {"connect-failure", retry_on::kConnectFailure},
    {"envoy-ratelimited", retry_on::kEnvoyRateLimited},
    {"retriable-4xx", retry_on::kRetriable4xx},
    {"refused-stream", retry_on::kRefusedStream},
    {"retriable-status-codes", retry_on::kStatusCodes},
    {"retriable-headers", retry_on::kHeaders},
    {"http3-post-connect-failure", retry_on::kHttp3PostConnectFailure},
});
constexpr auto kGrpcTokens = std::to_array<NamedToken>({
    {"cancelled", retry_on::kCancelled},
    {"deadline-exceeded", retry_on::kDeadlineExceeded},
    {"internal", retry_on::kInternal},
    {"resource-exhausted", retry_on::kResourceExhausted},
    {"unavailable", retry_on::kUnavailable},
});

RetryTokens parse(std::string_view list, std::span<const NamedToken> tokens) {
  RetryTokens out;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view word = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (word.empty()) continue;
    uint32_t bit = 0;
    for (const NamedToken& token : tokens) {
      if (token.first == word) bit = token.second;
    }
    out.bits |= bit;
    out.all_known &= bit != 0;
  }
  return out;
}

}  // namespace

RetryTokens parse_retry_on(std::string_view list) { return parse(list, kHttpTokens); }
RetryTokens parse_retry_grpc_on(std::string_view list) { return parse(list, kGrpcTokens); }

}  // namespace sluice::model
