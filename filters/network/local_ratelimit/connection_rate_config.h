// The part of the configuration that the network and the listener filter have in common.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/token_bucket_compiler.h"
#include "filters/network/local_ratelimit/connection_rate.h"

namespace sluice::filters::connection_rate {

template <typename Proto>
std::shared_ptr<const Rate> compile_rate(const Proto& proto, std::string_view prefix, config::CompileScope& scope) {
  auto out = std::make_shared<Rate>(config::compile_default_bucket(proto.token_bucket(), scope));
  out->stat_prefix = cat(prefix, proto.stat_prefix(), ".");
  std::replace(out->stat_prefix.begin(), out->stat_prefix.end(), ':', '_');
  if (proto.has_runtime_enabled()) {
    const auto& flag = proto.runtime_enabled();
    out->enabled = scope.runtime.live_flag(flag.default_value().value(), flag.runtime_key());
  }
  return out;
}

}  // namespace sluice::filters::connection_rate
