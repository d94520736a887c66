// The part of the configuration that the network and the listener filter have in common.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/type/v3/token_bucket.pb.h"
#include "filters/network/local_ratelimit/connection_rate.h"

namespace sluice::filters::connection_rate {

template <typename Proto>
std::shared_ptr<const Rate> compile_rate(const Proto& proto, std::string_view prefix, config::CompileScope& scope) {
  const auto& bucket = proto.token_bucket();
  TokenBucket::Plan plan;
  plan.max = bucket.max_tokens();
  plan.tokens = bucket.has_tokens_per_fill() ? bucket.tokens_per_fill().value() : 1;
  plan.interval = config::to_duration(bucket.fill_interval());
  if (plan.interval < std::chrono::milliseconds(50)) {
    scope.error(bucket, envoy::type::v3::TokenBucket::kFillIntervalFieldNumber,
                "the fill interval of a local rate limit must be at least 50 ms");
    plan.interval = std::chrono::milliseconds(50);
  }
  auto out = std::make_shared<Rate>(plan);
  out->stat_prefix = cat(prefix, proto.stat_prefix(), ".");
  std::replace(out->stat_prefix.begin(), out->stat_prefix.end(), ':', '_');
  if (proto.has_runtime_enabled()) {
    const auto& flag = proto.runtime_enabled();
    out->enabled = scope.runtime.live_flag(flag.default_value().value(), flag.runtime_key());
  }
  return out;
}

}  // namespace sluice::filters::connection_rate
