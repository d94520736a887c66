// RouteConfiguration -> RouteTable.
#pragma once

#include <memory>
#include <optional>

#include "config/compile_scope.h"
#include "envoy/config/route/v3/route.pb.h"
#include "model/route_table.h"

namespace sluice::config {

// What a route inherits from what is around it.
struct RouteContext {
  bool validate_clusters = true;    // a cluster that is not there is an error, not a 503
  uint32_t max_direct_body = 4096;  // max_direct_response_body_size_bytes
  // Of the virtual host, and of the route configuration: what the route does not say itself.
  model::RetryPolicyPtr retry;
  bool hedge_on_per_try_timeout = false;
  std::optional<uint64_t> body_buffer_limit;
  model::MirrorPoliciesPtr mirrors;
};

// Where a table came from decides whether its clusters must exist, when validate_clusters does not say it: inline ones
// yes, those of a control plane no.
enum class RouteSource { kInline, kDiscovered };

// The table is built, ready for look-ups.
std::shared_ptr<model::RouteTable> compile_route_table(const envoy::config::route::v3::RouteConfiguration& routes,
                                                       RouteSource source, CompileScope& scope);

// One route's action.
model::RouteAction compile_route_action(const envoy::config::route::v3::Route& route, const RouteContext& context,
                                        CompileScope& scope);

}  // namespace sluice::config
