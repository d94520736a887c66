// Compilers of what all exporters have: an HttpService or a GrpcService, and header values.
#pragma once

#include "envoy/config/core/v3/grpc_service.pb.h"
#include "envoy/config/core/v3/http_service.pb.h"
#include "exporters/collector.h"

namespace sluice::config {
class CompileScope;
}

namespace sluice::exporters {

// The cluster need not be there: a control plane may bring it, no traffic depends on it, and until then what is
// exported is dropped. `sluice check` tells it.
Collector compile_http_collector(const envoy::config::core::v3::HttpService& proto, config::CompileScope& scope);
Collector compile_grpc_collector(const envoy::config::core::v3::GrpcService& proto, config::CompileScope& scope);

}  // namespace sluice::exporters
