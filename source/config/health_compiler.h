// outlier_detection and health_checks of a cluster, health_check_config of an endpoint.
#pragma once

#include <memory>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint_components.pb.h"
#include "model/health_plan.h"

namespace sluice::config {

// Null when the cluster has none.
std::shared_ptr<const model::OutlierPlan> compile_outlier(const envoy::config::cluster::v3::Cluster& cluster,
                                                          CompileScope& scope);
Rare<std::vector<std::shared_ptr<const model::HealthCheckPlan>>> compile_health_checks(
    const envoy::config::cluster::v3::Cluster& cluster, CompileScope& scope);
std::shared_ptr<const model::EndpointCheck> compile_endpoint_check(
    const envoy::config::endpoint::v3::Endpoint& endpoint, CompileScope& scope);

}  // namespace sluice::config
