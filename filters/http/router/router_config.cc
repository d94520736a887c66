#include "filters/http/router/router_config.h"

#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "filters/http/router/router.h"

namespace sluice::filters::router {
namespace {

using Proto = envoy::extensions::filters::http::router::v3::Router;

std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message& message,
                                                   config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  // dynamic_stats concerns counters by response code, which we have always; false only saves memory in Envoy.
  scope.only(proto, {Proto::kDynamicStatsFieldNumber, Proto::kSuppressEnvoyHeadersFieldNumber});
  return std::make_shared<const RouterFactory>(RouterOptions{proto.suppress_envoy_headers()});
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.router.v3.Router", .compile = &compile, .terminal = true};
}

}  // namespace sluice::filters::router
