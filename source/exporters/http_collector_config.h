// The part of the configuration that both exporters have: an HttpService, and header values.
#pragma once

#include "envoy/config/core/v3/http_service.pb.h"
#include "exporters/http_collector.h"

namespace sluice::config {
class CompileScope;
}

namespace sluice::exporters {

HttpCollector compile_http_collector(const envoy::config::core::v3::HttpService& proto, config::CompileScope& scope);
void compile_field(const envoy::config::core::v3::HeaderValue& proto, Fields& out, config::CompileScope& scope);

}  // namespace sluice::exporters
