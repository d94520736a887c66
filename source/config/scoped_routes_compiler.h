// Compilers of scoped_routes, and of scopes that are discovered.
#pragma once

#include <memory>
#include <string>

#include "config/compile_scope.h"
#include "envoy/config/route/v3/scoped_route.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/scoped_routes.h"

namespace sluice::config {

struct ScopeConfig;

// Null after an error. `stat_prefix`: of the connection manager.
std::shared_ptr<const model::ScopedRoutes> compile_scoped_routes(
    const envoy::extensions::filters::network::http_connection_manager::v3::ScopedRoutes& proto,
    const std::string& stat_prefix, CompileScope& scope);
// Counts only when the scope has no errors.
std::shared_ptr<const ScopeConfig> compile_scope_config(const envoy::config::route::v3::ScopedRouteConfiguration& proto,
                                                        CompileScope& scope);

}  // namespace sluice::config
