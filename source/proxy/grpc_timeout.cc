#include "proxy/grpc_timeout.h"

#include <algorithm>

#include "base/strings.h"

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
  Duration limit{0};
  if (wanted && durations.grpc_header_max) {
    limit = *wanted;
    if (durations.grpc_header_max->count() != 0) limit = std::min(limit, *durations.grpc_header_max);
    if (durations.grpc_header_offset) limit = std::max(Duration(0), limit - *durations.grpc_header_offset);
  } else {
    limit = durations.max.value_or(plan.max_stream_duration);
    if (limit.count() == 0) return std::nullopt;
  }
  if (wanted) request.fields.set(Token::kGrpcTimeout, grpc_timeout_text(limit, request.fields.arena()));
  return limit;
}

}  // namespace sluice::proxy
