#include "proxy/grpc_timeout.h"

#include <algorithm>

#include "base/strings.h"
#include "http/grpc.h"

namespace sluice::proxy {

using http::Token;

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const auto amount = parse_number<uint32_t>(text.substr(0, text.size() - 1));
  if (!amount) return std::nullopt;
  const int64_t n = *amount;
  switch (text.back()) {
    case 'H':
      return std::chrono::hours(n);
    case 'M':
      return std::chrono::minutes(n);
    case 'S':
      return std::chrono::seconds(n);
    case 'm':
      return std::chrono::milliseconds(n);
    case 'u':
      return std::chrono::milliseconds((n + 999) / 1000);
    case 'n':
      return std::chrono::milliseconds((n + 999'999) / 1'000'000);
    default:
      return std::nullopt;
  }
}

std::string_view grpc_timeout_text(Duration timeout, Arena& arena) {
  constexpr int64_t kMax = 99'999'999;
  int64_t amount = to_ms(timeout);
  char unit = 'm';
  for (const auto& [next, factor] : {std::pair{'S', 1000}, std::pair{'M', 60}, std::pair{'H', 60}}) {
    if (amount <= kMax) break;
    amount /= factor;
    unit = next;
  }
  return arena.copy(cat(std::min(amount, kMax), unit));
}

std::optional<Duration> stream_duration(const model::HttpPlan& plan, const model::ForwardAction& action,
                                        http::RequestHeaders& request) {
  const model::StreamDurations& durations = *action.durations;
  std::optional<Duration> wanted;
  if (request.fields.has(Token::kGrpcTimeout)) wanted = parse_grpc_timeout(request.fields.get(Token::kGrpcTimeout));
  const bool by_header = wanted && durations.grpc_header_max;
  Duration limit = durations.max.value_or(plan.max_stream_duration);
  if (by_header) {
    limit = *wanted;
    if (durations.grpc_header_max->count() != 0) limit = std::min(limit, *durations.grpc_header_max);
    if (durations.grpc_header_offset) limit = std::max(Duration(0), limit - *durations.grpc_header_offset);
  }
  const bool is_limit = by_header || limit.count() != 0;
  // The upstream of a gRPC call is told what a route with max_stream_duration makes of it.
  if (durations.set && http::is_grpc(request.fields)) {
    if (is_limit) {
      request.fields.set(Token::kGrpcTimeout, grpc_timeout_text(limit, request.fields.arena()));
    } else if (durations.max) {
      request.fields.remove(Token::kGrpcTimeout);
    }
  }
  return is_limit ? std::optional(limit) : std::nullopt;
}

}  // namespace sluice::proxy
