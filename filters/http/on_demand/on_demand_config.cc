#include "filters/http/on_demand/on_demand_config.h"

#include "config/compile_scope.h"
#include "config/config_source_compiler.h"
#include "envoy/extensions/filters/http/on_demand/v3/on_demand.pb.h"
#include "filters/http/on_demand/on_demand.h"

namespace sluice::filters::on_demand {
namespace {

namespace v3 = envoy::extensions::filters::http::on_demand::v3;
using config::CompileScope;
using google::protobuf::Message;

std::optional<Odcds> compile_odcds(const v3::OnDemandCds& proto, CompileScope& scope) {
  using C = v3::OnDemandCds;
  scope.only(proto, {C::kSourceFieldNumber, C::kTimeoutFieldNumber});
  if (!proto.has_source()) {
    scope.error(proto, C::kSourceFieldNumber, "is needed: where clusters are asked for");
    return std::nullopt;
  }
  const auto source = config::compile_config_source(proto.source(), scope);
  if (!source) return std::nullopt;
  Odcds out{*source};
  if (proto.has_timeout()) out.timeout = config::to_duration(proto.timeout());
  return out;
}

template <typename Proto>
std::shared_ptr<const Settings> compile_settings(const Proto& proto, CompileScope& scope) {
  auto out = std::make_shared<Settings>();
  if (proto.has_odcds()) out->odcds = compile_odcds(proto.odcds(), scope);
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const OnDemandFactory>(scope.filter_name,
                                                 compile_settings(static_cast<const v3::OnDemand&>(message), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_settings(static_cast<const v3::PerRouteConfig&>(message), scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.on_demand.v3.OnDemand",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.on_demand.v3.PerRouteConfig",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::on_demand
