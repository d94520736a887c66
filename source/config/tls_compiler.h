// Compilers of transport sockets: which kind, and TLS.
#pragma once

#include <string_view>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/base.pb.h"
#include "net/transport_socket.h"

namespace sluice::config {

// Null for raw_buffer, and after an error. `stat_prefix`: "listener.ADDRESS." or "cluster.NAME.".
net::TransportSocketPlanPtr compile_downstream_socket(const envoy::config::core::v3::TransportSocket& proto,
                                                      std::string_view stat_prefix, CompileScope& scope);
net::TransportSocketPlanPtr compile_upstream_socket(const envoy::config::core::v3::TransportSocket& proto,
                                                    std::string_view stat_prefix, CompileScope& scope);

}  // namespace sluice::config
