#include "filters/http/router/timeouts.h"

#include <algorithm>

#include "base/strings.h"
#include "filters/http/router/router.h"
#include "http/grpc.h"
#include "proxy/grpc_timeout.h"
#include "proxy/local_reply.h"

namespace sluice::filters::router {

using http::Token;

namespace {

constexpr Duration kDefaultTimeout = std::chrono::seconds(15);

// More is as good as for ever, and the sum with any time is one.
constexpr uint64_t kLongestMs = uint64_t{100} * 365 * 24 * 3600 * 1000;

// What is above is none in Envoy either.
constexpr uint64_t kMostMs = INT64_MAX;

void take_number(const http::HeaderMap& fields, Token token, Duration& to) {
  const std::string_view text = fields.get(token);
  if (text.empty()) return;
  const auto ms = number_of_field(text);
  if (ms && *ms <= kMostMs) to = std::chrono::milliseconds(std::min(*ms, kLongestMs));
}

// The route's timeout is what the client says in grpc-timeout, below the route's maximum.
Duration old_grpc_timeout(const model::StreamDurations& durations, const http::RequestHeaders& request) {
  Duration timeout = proxy::parse_grpc_timeout(request.fields.get(Token::kGrpcTimeout)).value_or(Duration(0));
  if (durations.old_grpc_offset && *durations.old_grpc_offset < timeout) timeout -= *durations.old_grpc_offset;
  const Duration max = *durations.old_grpc_max;
  return max.count() != 0 && (timeout.count() == 0 || timeout > max) ? max : timeout;
}

}  // namespace

std::optional<uint64_t> number_of_field(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return parse_number<uint64_t>(text);
}

Timeouts take_timeouts(const model::ForwardAction& action, const model::RetryPolicy* retry,
                       const RouterOptions& options, http::RequestHeaders& request) {
  http::HeaderMap& fields = request.fields;
  const model::StreamDurations& durations = *action.durations;
  Timeouts out;
  if (!durations.set) {
    out.old_grpc = durations.old_grpc_max && http::is_grpc(request.fields);
    out.global = out.old_grpc ? old_grpc_timeout(durations, request) : action.timeout.value_or(kDefaultTimeout);
  }
  if (retry != nullptr) {
    out.per_try = retry->per_try_timeout;
    out.per_try_idle = retry->per_try_idle_timeout;
  }
  out.hedge = action.hedge_on_per_try_timeout;
  if (fields.has(Token::kXEnvoyHedgeOnPerTryTimeout)) {
    const std::string_view text = fields.get(Token::kXEnvoyHedgeOnPerTryTimeout);
    if (text == "true" || text == "false") out.hedge = text == "true";
  }
  if (options.respect_expected_timeout && fields.has(Token::kXEnvoyExpectedRqTimeoutMs)) {
    take_number(fields, Token::kXEnvoyExpectedRqTimeoutMs, out.global);
  } else if (fields.has(Token::kXEnvoyUpstreamRqTimeoutMs)) {
    take_number(fields, Token::kXEnvoyUpstreamRqTimeoutMs, out.global);
    fields.remove(Token::kXEnvoyUpstreamRqTimeoutMs);
  }
  take_number(fields, Token::kXEnvoyUpstreamRqPerTryTimeoutMs, out.per_try);
  if (out.global.count() != 0 && out.per_try >= out.global) out.per_try = Duration(0);
  return out;
}

void tell_timeout(const Timeouts& timeouts, const RouterOptions& options, Duration elapsed,
                  http::RequestHeaders& request) {
  // While hedging a try has the whole time.
  Duration left = timeouts.hedge || timeouts.per_try.count() == 0 ? timeouts.global : timeouts.per_try;
  if (left.count() == 0) return;
  if (timeouts.global.count() > 0) {
    // 0 would be for ever.
    left = std::max<Duration>(std::min(left, timeouts.global - elapsed), std::chrono::milliseconds(1));
  }
  Arena& arena = request.fields.arena();
  if (!options.suppress_envoy_headers) {
    request.fields.set(Token::kXEnvoyExpectedRqTimeoutMs, arena.copy(Piece(to_ms(left)).text()));
  }
  if (timeouts.old_grpc) request.fields.set(Token::kGrpcTimeout, proxy::grpc_timeout_text(left, arena));
}

}  // namespace sluice::filters::router
