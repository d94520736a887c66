// lb_subset_config of a cluster, the metadata of endpoints and routes that it is about.
#pragma once

#include <memory>

#include "config/compile_scope.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "model/subset_plan.h"

namespace sluice::config {

// Null when the cluster has no subsets.
std::shared_ptr<const model::SubsetPlan> compile_subsets(const envoy::config::cluster::v3::Cluster& cluster,
                                                         CompileScope& scope);
// envoy.lb of an endpoint; null when there is nothing.
model::LbLabelsPtr compile_labels(const envoy::config::core::v3::Metadata& metadata);
// metadata_match of a route; entries of `more` (a weighted cluster's) win. Null: nothing is wanted.
model::LbMatchPtr compile_match(const envoy::config::core::v3::Metadata& metadata,
                                const envoy::config::core::v3::Metadata* more = nullptr);

}  // namespace sluice::config
