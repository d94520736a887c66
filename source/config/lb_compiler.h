// How a cluster's hosts are chosen -> LbPlan: lb_policy with its lb_config, or load_balancing_policy.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "model/cluster_plan.h"

namespace sluice::config {

model::LbPlan compile_lb(const envoy::config::cluster::v3::Cluster& proto, CompileScope& scope);

}  // namespace sluice::config
