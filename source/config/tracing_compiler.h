// Compilers of tracing: the connection manager's, and what routes say of it.
#pragma once

#include <memory>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/config/trace/v3/http_tracer.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/tracing_plan.h"

namespace sluice::config {

// Null after an error.
std::shared_ptr<const model::TracerPlan> compile_tracer(const envoy::config::trace::v3::Tracing::Http& proto,
                                                        CompileScope& scope);
// Null: without a provider, of its own or of the bootstrap, nothing is traced.
std::shared_ptr<const model::TracingPlan> compile_tracing(
    const envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager::Tracing& proto,
    CompileScope& scope);
// Null when it says nothing.
std::shared_ptr<const model::RouteTracing> compile_route_tracing(const envoy::config::route::v3::Route& proto,
                                                                 CompileScope& scope);

}  // namespace sluice::config
