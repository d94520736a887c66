// rate_limits of routes, virtual hosts and filters -> model::RateLimits.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "config/compile_scope.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "model/rate_limit.h"

namespace sluice::config {

// Of routes and virtual hosts, as a filter without a service reads them: what names a disable_key is not for it, and
// each request counts once.
model::RateLimits compile_route_limits(
    const google::protobuf::RepeatedPtrField<envoy::config::route::v3::RateLimit>& limits, CompileScope& scope);
model::RateLimits compile_rate_limits(
    const google::protobuf::RepeatedPtrField<envoy::config::route::v3::RateLimit>& limits, CompileScope& scope);

}  // namespace sluice::config
