// ClusterLoadAssignment -> AssignmentPlan: the endpoints of a cluster, out of its own configuration or of EDS.
#pragma once

#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "model/cluster_plan.h"

namespace sluice::config {

// Names are for the clusters that ask DNS for them.
enum class Names { kRefused, kAllowed };

// The first of transport_socket_matches all of whose values are in `metadata`; counts from 1. 0: the cluster's own.
uint16_t match_socket(
    const google::protobuf::Struct& metadata,
    const google::protobuf::RepeatedPtrField<envoy::config::cluster::v3::Cluster::TransportSocketMatch>& matches);

model::HealthStatus compile_health(envoy::config::core::v3::HealthStatus status);

// An address that stands several times in an assignment: each is a host, but of EDS only the first is, as in Envoy.
enum class Repeated { kKept, kDropped };

// With Names::kAllowed the names are put into `names`; their endpoints have no address then.
model::AssignmentPtr compile_assignment(const envoy::config::endpoint::v3::ClusterLoadAssignment& proto, Names names,
                                        Repeated repeated, std::vector<model::DnsName>& found, CompileScope& scope);

}  // namespace sluice::config
