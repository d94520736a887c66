// RetryPolicy: when a request is tried again, how often, how soon and where; compiled.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/router_filter#x-envoy-retry-on
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/time.h"
#include "http/header_matcher.h"
#include "model/origin.h"

namespace sluice::model {

// The tokens of retry_on, x-envoy-retry-on and x-envoy-retry-grpc-on, as bits.
namespace retry_on {
inline constexpr uint32_t k5xx = 1u << 0;
inline constexpr uint32_t kGatewayError = 1u << 1;
inline constexpr uint32_t kReset = 1u << 2;
inline constexpr uint32_t kResetBeforeRequest = 1u << 3;
inline constexpr uint32_t kConnectFailure = 1u << 4;
inline constexpr uint32_t kEnvoyRateLimited = 1u << 5;
inline constexpr uint32_t kRetriable4xx = 1u << 6;
inline constexpr uint32_t kRefusedStream = 1u << 7;
inline constexpr uint32_t kStatusCodes = 1u << 8;
inline constexpr uint32_t kHeaders = 1u << 9;
inline constexpr uint32_t kHttp3PostConnectFailure = 1u << 10;  // HTTP/3 upstreams only: never comes true here
inline constexpr uint32_t kCancelled = 1u << 11;
inline constexpr uint32_t kDeadlineExceeded = 1u << 12;
inline constexpr uint32_t kInternal = 1u << 13;
inline constexpr uint32_t kResourceExhausted = 1u << 14;
inline constexpr uint32_t kUnavailable = 1u << 15;
inline constexpr uint32_t kGrpc = kCancelled | kDeadlineExceeded | kInternal | kResourceExhausted | kUnavailable;
}  // namespace retry_on

struct RetryTokens {
  uint32_t bits = 0;
  bool all_known = true;  // unknown tokens are passed over, unless somebody looks here
};
// A list with commas. The two lists know different tokens.
RetryTokens parse_retry_on(std::string_view list);
RetryTokens parse_retry_grpc_on(std::string_view list);

// One entry of rate_limited_retry_back_off.reset_headers.
struct ResetHeader {
  std::string name;        // lower case
  bool timestamp = false;  // the time at which to try again, in seconds since 1970; else seconds to wait
};

// Envoy's defaults. Immutable. Thread: any.
struct RetryPolicy {
  uint32_t on = 0;  // bits of retry_on; 0: no retries, but the timeouts below still count
  uint32_t num_retries = 1;
  Duration per_try_timeout{0};       // 0: none
  Duration per_try_idle_timeout{0};  // 0: none
  std::vector<uint32_t> status_codes;
  std::vector<http::HeaderMatcher> response_headers;  // retriable_headers
  std::vector<http::HeaderMatcher> request_headers;   // unless empty, only requests that one of these matches
  Duration base_interval = std::chrono::milliseconds(25);
  Duration max_interval = std::chrono::milliseconds(250);
  std::vector<ResetHeader> reset_headers;
  Duration max_reset_interval = std::chrono::seconds(300);
  bool avoid_previous_hosts = false;
  bool avoid_canary_hosts = false;
  std::vector<MetadataPtr> avoid_metadata;  // omit_host_metadata: hosts that have all of one of them in envoy.lb
  uint32_t host_attempts = 1;        // host_selection_retry_max_attempts
  uint32_t previous_priorities = 0;  // update_frequency; 0: the usual priorities
  Origin origin;
};
using RetryPolicyPtr = std::shared_ptr<const RetryPolicy>;

}  // namespace sluice::model
