#include "filters/http/dynamic_forward_proxy/dynamic_forward_proxy_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/dns_compiler.h"
#include "envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.pb.h"
#include "filters/http/dynamic_forward_proxy/dynamic_forward_proxy.h"

namespace sluice::filters::dynamic_forward_proxy {
namespace {

using Proto = envoy::extensions::filters::http::dynamic_forward_proxy::v3::FilterConfig;
using PerRoute = envoy::extensions::filters::http::dynamic_forward_proxy::v3::PerRouteConfig;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kDnsCacheConfigFieldNumber});
  if (!proto.has_dns_cache_config()) {
    scope.error(proto, "needs a dns_cache_config");
    return nullptr;
  }
  return std::make_shared<const DynamicForwardProxyFactory>(
      scope.filter_name, config::compile_dns_cache(proto.dns_cache_config(), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const PerRoute&>(message);
  scope.only(proto, {PerRoute::kHostRewriteLiteralFieldNumber, PerRoute::kHostRewriteHeaderFieldNumber});
  auto out = std::make_shared<HostRewrite>();
  out->literal = proto.host_rewrite_literal();
  out->header = to_lower(proto.host_rewrite_header());
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::dynamic_forward_proxy
