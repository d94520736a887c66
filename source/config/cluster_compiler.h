// Cluster -> ClusterPlan.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "model/cluster_plan.h"

namespace sluice::config {

// Counts only when the scope has no errors.
model::ClusterPlanPtr compile_cluster(const envoy::config::cluster::v3::Cluster& cluster, CompileScope& scope);

}  // namespace sluice::config
