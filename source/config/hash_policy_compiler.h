// hash_policy of a route -> HashPolicy.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "model/hash_policy.h"

namespace sluice::config {

std::vector<model::HashPolicy> compile_hash_policies(
    const google::protobuf::RepeatedPtrField<envoy::config::route::v3::RouteAction::HashPolicy>& policies,
    CompileScope& scope);

}  // namespace sluice::config
