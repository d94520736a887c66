#include "exporters/opentelemetry_config.h"

#include "config/compile_scope.h"
#include "envoy/config/trace/v3/opentelemetry.pb.h"
#include "exporters/collector_config.h"
#include "exporters/opentelemetry.h"
#include "exporters/otel_extensions_config.h"
#include "exporters/otlp.h"

namespace sluice::exporters {

namespace {

using config::CompileScope;
using OpenTelemetry = envoy::config::trace::v3::OpenTelemetryConfig;

std::shared_ptr<const model::TracerPlan> compile_opentelemetry(const google::protobuf::Message& message,
                                                               CompileScope& scope) {
  const auto& proto = static_cast<const OpenTelemetry&>(message);
  scope.only(proto, {OpenTelemetry::kGrpcServiceFieldNumber, OpenTelemetry::kHttpServiceFieldNumber,
                     OpenTelemetry::kServiceNameFieldNumber, OpenTelemetry::kMaxCacheSizeFieldNumber,
                     OpenTelemetry::kResourceDetectorsFieldNumber, OpenTelemetry::kSamplerFieldNumber});
  OpenTelemetryPlan out;
  if (proto.has_grpc_service() && proto.has_http_service()) {
    scope.error(proto, OpenTelemetry::kHttpServiceFieldNumber, "cannot stand beside grpc_service");
  }
  if (proto.has_http_service()) {
    out.collector = compile_http_collector(proto.http_service(), scope);
  } else if (proto.has_grpc_service()) {
    out.collector = compile_grpc_collector(proto.grpc_service(), scope);
  } else {
    scope.error(proto, "needs grpc_service or http_service");
  }
  std::vector<std::pair<std::string, std::string>> resource = {
      {"service.name", proto.service_name().empty() ? "unknown_service:envoy" : proto.service_name()},
      {"telemetry.sdk.language", "cpp"},
      {"telemetry.sdk.name", "envoy"}};
  compile_detectors(proto.resource_detectors(), resource, scope);
  for (const auto& [name, value] : resource) append_otlp_resource(out.resource, name, value);
  if (proto.has_sampler()) out.sampler = compile_sampler(proto.sampler(), scope);
  if (proto.has_max_cache_size()) out.max_spans = proto.max_cache_size().value();
  out.min_flush_spans = scope.runtime.live_number(5, "tracing.opentelemetry.min_flush_spans");
  out.flush_interval_ms = scope.runtime.live_number(5000, "tracing.opentelemetry.flush_interval_ms");
  return std::make_shared<const OpenTelemetryFactory>(std::move(out));
}

}  // namespace

config::TracerType opentelemetry() { return {"envoy.config.trace.v3.OpenTelemetryConfig", &compile_opentelemetry}; }

}  // namespace sluice::exporters
