// Compiler of scoped_routes.
#pragma once

#include <memory>

#include "config/compile_scope.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/scoped_routes.h"

namespace sluice::config {

// Null after an error.
std::shared_ptr<const model::ScopedRoutes> compile_scoped_routes(
    const envoy::extensions::filters::network::http_connection_manager::v3::ScopedRoutes& proto, CompileScope& scope);

}  // namespace sluice::config
