#include "config/scoped_routes_compiler.h"

#include "base/strings.h"
#include "config/route_compiler.h"

namespace sluice::config {
namespace {

namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
using envoy::config::route::v3::ScopedRouteConfiguration;
using Extractor = hcm::ScopedRoutes::ScopeKeyBuilder::FragmentBuilder::HeaderValueExtractor;

model::ScopeFragment compile_fragment(const Extractor& proto, CompileScope& scope) {
  model::ScopeFragment out;
  out.header = to_lower(proto.name());
  out.element_separator = proto.element_separator();
  switch (proto.extract_type_case()) {
    case Extractor::kIndex:
      out.index = proto.index();
      if (proto.index() > 0 && proto.element_separator().empty()) {
        scope.error(proto, Extractor::kIndexFieldNumber, "beyond 0 needs an element_separator");
      }
      break;
    case Extractor::kElement:
      out.key = proto.element().key();
      out.separator = proto.element().separator();
      break;
    case Extractor::EXTRACT_TYPE_NOT_SET:
      scope.error(proto, "needs an index or an element");
      break;
  }
  return out;
}

void compile_scope_of(const ScopedRouteConfiguration& proto, model::ScopedRoutes& out, CompileScope& scope) {
  using S = ScopedRouteConfiguration;
  scope.only(proto, {S::kNameFieldNumber, S::kRouteConfigurationFieldNumber, S::kKeyFieldNumber});
  if (!proto.has_route_configuration()) {
    scope.error(proto, "needs a route_configuration");
    return;
  }
  std::vector<std::string> key;
  for (const auto& fragment : proto.key().fragments()) key.push_back(fragment.string_key());
  auto table = compile_route_table(proto.route_configuration(), RouteSource::kInline, scope);
  if (!out.tables.emplace(std::move(key), std::move(table)).second) {
    scope.error(proto, S::kKeyFieldNumber, "another scope has this key");
  }
}

}  // namespace

std::shared_ptr<const model::ScopedRoutes> compile_scoped_routes(const hcm::ScopedRoutes& proto, CompileScope& scope) {
  if (proto.has_scoped_rds()) {
    scope.not_supported(proto, hcm::ScopedRoutes::kScopedRdsFieldNumber);
    return nullptr;
  }
  auto out = std::make_shared<model::ScopedRoutes>();
  for (const auto& fragment : proto.scope_key_builder().fragments()) {
    out->fragments.push_back(compile_fragment(fragment.header_value_extractor(), scope));
  }
  for (const auto& one : proto.scoped_route_configurations_list().scoped_route_configurations()) {
    compile_scope_of(one, *out, scope);
  }
  return out;
}

}  // namespace sluice::config
