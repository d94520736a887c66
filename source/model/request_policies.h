// RequestPolicies: what a cluster says of every request that comes to it, in place of what the routes say.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/extensions/upstreams/http/v3/http_protocol_options.proto
#pragma once

#include <vector>

#include "model/hash_policy.h"
#include "model/retry_policy.h"
#include "model/route_action.h"

namespace sluice::model {

// Immutable. Thread: any.
struct RequestPolicies {
  RetryPolicyPtr retry;            // null: the route's
  MirrorPoliciesPtr mirrors;       // null: the route's
  std::vector<HashPolicy> hashes;  // empty: the route's
};

}  // namespace sluice::model
