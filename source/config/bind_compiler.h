// BindConfig and UpstreamConnectionOptions -> ConnectOptions: where the connections of a cluster come from.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "net/network.h"

namespace sluice::config {

// cluster_manager: of clusters that say nothing of their own.
net::ConnectOptions compile_bind(const envoy::config::bootstrap::v3::ClusterManager& proto, CompileScope& scope);

net::ConnectOptions compile_connect_options(const envoy::config::cluster::v3::Cluster& proto, CompileScope& scope);

}  // namespace sluice::config
