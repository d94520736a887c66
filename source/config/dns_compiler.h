// How a DNS cluster asks for its names: options of Cluster and DnsCluster, of c-ares, and of the bootstrap -> DnsPlan.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/clusters/dns/v3/dns_cluster.pb.h"
#include "envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache.pb.h"
#include "model/cluster_plan.h"
#include "model/dns_cache_plan.h"

namespace sluice::config {

// The servers and time-outs of every cluster that has none of its own.
net::ResolverOptions compile_resolver(const envoy::config::bootstrap::v3::Bootstrap& proto, CompileScope& scope);

// Fills `out.dns` but for the names, from the fields of the cluster or from its typed cluster_type.
void compile_dns(const envoy::config::cluster::v3::Cluster& proto, model::ClusterPlan& out, CompileScope& scope);
void compile_dns(const envoy::extensions::clusters::dns::v3::DnsCluster& proto, model::ClusterPlan& out,
                 CompileScope& scope);

// The cache of that name: one for all who name it, so that their configurations must be the same. Null after an error.
std::shared_ptr<const model::DnsCachePlan> compile_dns_cache(
    const envoy::extensions::common::dynamic_forward_proxy::v3::DnsCacheConfig& proto, CompileScope& scope);

}  // namespace sluice::config
