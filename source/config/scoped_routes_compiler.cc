#include "config/scoped_routes_compiler.h"

#include "base/strings.h"
#include "config/config_source_compiler.h"
#include "config/resources.h"
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

// A table that comes by rds from `source`.
std::shared_ptr<model::RouteSlot> follow(const std::string& name, const std::string& stat_prefix,
                                         const model::ConfigSource& source, CompileScope& scope) {
  auto slot = scope.route_slots->slot(source, name);
  scope.needs.routes.push_back({name, stat_prefix, source, slot});
  return slot;
}

void compile_list(const hcm::ScopedRoutes& proto, const std::string& stat_prefix, model::ScopedRoutes& out,
                  CompileScope& scope) {
  auto tables = std::make_shared<model::ScopeTables>();
  std::optional<model::ConfigSource> source;
  if (proto.has_rds_config_source()) source = compile_config_source(proto.rds_config_source(), scope);
  for (const auto& one : proto.scoped_route_configurations_list().scoped_route_configurations()) {
    const auto config = compile_scope_config(one, scope);
    model::ScopeTarget target{config->table, nullptr};
    if (!config->routes.empty()) {
      if (source) target.slot = follow(config->routes, stat_prefix, *source, scope);
      if (!proto.has_rds_config_source()) {
        scope.error(one, ScopedRouteConfiguration::kRouteConfigurationNameFieldNumber, "needs an rds_config_source");
      }
    }
    if (!tables->targets.emplace(config->key, std::move(target)).second) {
      scope.error(one, ScopedRouteConfiguration::kKeyFieldNumber, "another scope has this key");
    }
  }
  out.tables.publish(std::move(tables));
}

void compile_discovered(const hcm::ScopedRoutes& proto, const std::string& stat_prefix,
                        const std::shared_ptr<model::ScopedRoutes>& out, CompileScope& scope) {
  using R = hcm::ScopedRds;
  scope.only(proto.scoped_rds(), {R::kScopedRdsConfigSourceFieldNumber});
  const auto source = compile_config_source(proto.scoped_rds().scoped_rds_config_source(), scope);
  model::ConfigSource tables;
  if (proto.has_rds_config_source()) {
    if (const auto found = compile_config_source(proto.rds_config_source(), scope)) tables = *found;
  }
  if (source) scope.needs.scopes.push_back({proto.name(), stat_prefix, *source, tables, out});
}

}  // namespace

std::shared_ptr<const ScopeConfig> compile_scope_config(const ScopedRouteConfiguration& proto, CompileScope& scope) {
  using S = ScopedRouteConfiguration;
  // on_demand: the table is there before a request needs it, so none has to wait.
  scope.only(proto, {S::kNameFieldNumber, S::kRouteConfigurationFieldNumber, S::kRouteConfigurationNameFieldNumber,
                     S::kKeyFieldNumber, S::kOnDemandFieldNumber});
  auto out = std::make_shared<ScopeConfig>();
  for (const auto& fragment : proto.key().fragments()) out->key.push_back(fragment.string_key());
  out->routes = proto.route_configuration_name();
  if (proto.has_route_configuration() != out->routes.empty()) {
    scope.error(proto, "needs either a route_configuration or a route_configuration_name");
  } else if (proto.has_route_configuration()) {
    out->table = compile_route_table(proto.route_configuration(), RouteSource::kInline, scope);
  }
  return out;
}

std::shared_ptr<const model::ScopedRoutes> compile_scoped_routes(const hcm::ScopedRoutes& proto,
                                                                 const std::string& stat_prefix, CompileScope& scope) {
  auto out = std::make_shared<model::ScopedRoutes>();
  for (const auto& fragment : proto.scope_key_builder().fragments()) {
    out->fragments.push_back(compile_fragment(fragment.header_value_extractor(), scope));
  }
  if (proto.has_scoped_rds()) {
    compile_discovered(proto, stat_prefix, out, scope);
  } else {
    compile_list(proto, stat_prefix, *out, scope);
  }
  return out;
}

}  // namespace sluice::config
