#include "filters/network/connection_limit/connection_limit_config.h"

#include <atomic>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/filters/network/connection_limit/v3/connection_limit.pb.h"
#include "filters/network/connection_limit/connection_limit.h"

namespace sluice::filters::connection_limit {
namespace {

using Proto = envoy::extensions::filters::network::connection_limit::v3::ConnectionLimit;

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message,
                                                        config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  auto out = std::make_shared<Limit>();
  out->stat_prefix = cat("connection_limit.", proto.stat_prefix(), ".");
  out->most = proto.has_max_connections() ? proto.max_connections().value() : 0;
  if (!proto.has_max_connections()) scope.error(proto, Proto::kMaxConnectionsFieldNumber, "is needed");
  if (proto.has_delay()) out->delay = config::to_duration(proto.delay());
  if (proto.has_runtime_enabled()) {
    const auto& flag = proto.runtime_enabled();
    out->enabled = scope.runtime.live_flag(flag.default_value().value(), flag.runtime_key());
  }
  return std::make_shared<const ConnectionLimit>(std::move(out));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit", .compile = &compile};
}

}  // namespace sluice::filters::connection_limit
