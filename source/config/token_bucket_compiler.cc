#include "config/token_bucket_compiler.h"

#include <chrono>

namespace sluice::config {

namespace {
constexpr Duration kShortest = std::chrono::milliseconds(50);
}

TokenBucket::Plan compile_token_bucket(const envoy::type::v3::TokenBucket& proto, CompileScope& scope) {
  TokenBucket::Plan out;
  out.max = proto.max_tokens();
  out.tokens = proto.has_tokens_per_fill() ? proto.tokens_per_fill().value() : 1;
  out.interval = to_duration(proto.fill_interval());
  if (out.interval < kShortest) {
    scope.error(proto, envoy::type::v3::TokenBucket::kFillIntervalFieldNumber,
                "the fill interval of a local rate limit must be at least 50 ms");
    out.interval = kShortest;
  }
  return out;
}

std::optional<TokenBucket::Plan> compile_default_bucket(const envoy::type::v3::TokenBucket& proto,
                                                        CompileScope& scope) {
  if (to_duration(proto.fill_interval()) >= std::chrono::milliseconds(1)) return compile_token_bucket(proto, scope);
  scope.pass_over(proto, "limits nothing: its fill_interval is less than a millisecond");
  return std::nullopt;
}

}  // namespace sluice::config
