// What the configuration says about sockets: BindConfig, UpstreamConnectionOptions, socket_options, keepalives.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "base/rare.h"
#include "config/compile_scope.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/socket_option.pb.h"
#include "net/network.h"

namespace sluice::config {

// cluster_manager: of clusters that say nothing of their own.
Rare<net::ConnectOptions> compile_bind(const envoy::config::bootstrap::v3::ClusterManager& proto, CompileScope& scope);

Rare<net::ConnectOptions> compile_connect_options(const envoy::config::cluster::v3::Cluster& proto,
                                                  CompileScope& scope);

net::Keepalive compile_keepalive(const envoy::config::core::v3::TcpKeepalive& proto);
// Of stream sockets; null when there is none.
net::SocketOptionsPtr compile_socket_options(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::SocketOption>& options, CompileScope& scope);

}  // namespace sluice::config
