#include "filters/http/bandwidth_limit/bandwidth_limit_config.h"

#include <algorithm>

#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/bandwidth_limit/v3/bandwidth_limit.pb.h"
#include "filters/http/bandwidth_limit/bandwidth_limit.h"

namespace sluice::filters::bandwidth_limit {
namespace {

using Proto = envoy::extensions::filters::http::bandwidth_limit::v3::BandwidthLimit;
using config::CompileScope;
using google::protobuf::Message;

// So many bytes in a second, as a burst too; at first what comes in one interval.
std::unique_ptr<TokenBucket> make_bucket(uint64_t kib, Duration interval) {
  const auto bytes = static_cast<uint32_t>(std::min<uint64_t>(kib, UINT32_MAX / 1024) * 1024);
  const double share = std::chrono::duration<double>(interval).count();
  auto out = std::make_unique<TokenBucket>(TokenBucket::Plan{bytes, bytes, std::chrono::seconds(1)});
  (void)out->take(bytes - static_cast<uint64_t>(bytes * std::min(share, 1.0)), MonotonicTime{});
  return out;
}

std::shared_ptr<const Settings> compile_settings(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kStatPrefixFieldNumber, Proto::kEnableModeFieldNumber, Proto::kLimitKbpsFieldNumber,
                     Proto::kFillIntervalFieldNumber, Proto::kRuntimeEnabledFieldNumber});
  auto out = std::make_shared<Settings>();
  out->stat_prefix = proto.stat_prefix();
  const auto mode = proto.enable_mode();
  out->requests = mode == Proto::REQUEST || mode == Proto::REQUEST_AND_RESPONSE;
  out->responses = mode == Proto::RESPONSE || mode == Proto::REQUEST_AND_RESPONSE;
  if (proto.has_fill_interval()) out->fill_interval = config::to_duration(proto.fill_interval());
  if (proto.has_runtime_enabled()) {
    const auto& flag = proto.runtime_enabled();
    out->enabled =
        scope.runtime.live_flag(!flag.has_default_value() || flag.default_value().value(), flag.runtime_key());
  }
  if (proto.has_limit_kbps()) out->bytes = make_bucket(proto.limit_kbps().value(), out->fill_interval);
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const BandwidthLimitFactory>(scope.filter_name, compile_settings(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  if (!static_cast<const Proto&>(message).has_limit_kbps()) {
    scope.error(message, "needs limit_kbps: the settings of a route stand for themselves");
  }
  return compile_settings(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::bandwidth_limit
