#include "exporters/opentelemetry_config.h"

#include <string_view>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/config/core/v3/grpc_service.pb.h"
#include "envoy/config/core/v3/http_service.pb.h"
#include "envoy/config/trace/v3/opentelemetry.pb.h"
#include "exporters/http_collector_config.h"
#include "exporters/opentelemetry.h"
#include "exporters/otel_extensions_config.h"

namespace sluice::exporters {

namespace {

namespace core = envoy::config::core::v3;
using config::CompileScope;
using OpenTelemetry = envoy::config::trace::v3::OpenTelemetryConfig;

void compile_grpc(const core::GrpcService& proto, OpenTelemetryPlan& out, CompileScope& scope) {
  using Grpc = core::GrpcService::EnvoyGrpc;
  scope.only(proto, {core::GrpcService::kEnvoyGrpcFieldNumber, core::GrpcService::kTimeoutFieldNumber,
                     core::GrpcService::kInitialMetadataFieldNumber});
  scope.only(proto.envoy_grpc(), {Grpc::kClusterNameFieldNumber, Grpc::kAuthorityFieldNumber});
  out.over = OpenTelemetryPlan::Over::kGrpc;
  out.cluster = proto.envoy_grpc().cluster_name();
  out.authority = proto.envoy_grpc().authority();
  if (proto.has_timeout()) out.timeout = config::to_duration(proto.timeout());
  for (const auto& field : proto.initial_metadata()) compile_field(field, out.fields, scope);
  if (proto.has_envoy_grpc()) scope.require_cluster(proto.envoy_grpc(), Grpc::kClusterNameFieldNumber, out.cluster);
}

void compile_http(const core::HttpService& proto, OpenTelemetryPlan& out, CompileScope& scope) {
  HttpCollector collector = compile_http_collector(proto, scope);
  out.over = OpenTelemetryPlan::Over::kHttp;
  out.cluster = std::move(collector.cluster);
  out.authority = std::move(collector.authority);
  out.path = std::move(collector.path);
  out.fields = std::move(collector.fields);
  out.timeout = collector.timeout;
}

std::shared_ptr<const model::TracerPlan> compile(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const OpenTelemetry&>(message);
  scope.only(proto, {OpenTelemetry::kGrpcServiceFieldNumber, OpenTelemetry::kHttpServiceFieldNumber,
                     OpenTelemetry::kServiceNameFieldNumber, OpenTelemetry::kMaxCacheSizeFieldNumber,
                     OpenTelemetry::kResourceDetectorsFieldNumber, OpenTelemetry::kSamplerFieldNumber});
  OpenTelemetryPlan out;
  if (proto.has_grpc_service() && proto.has_http_service()) {
    scope.error(proto, OpenTelemetry::kHttpServiceFieldNumber, "cannot stand beside grpc_service");
  }
  if (proto.has_http_service()) {
    compile_http(proto.http_service(), out, scope);
  } else if (proto.has_grpc_service()) {
    compile_grpc(proto.grpc_service(), out, scope);
  } else {
    scope.error(proto, "needs grpc_service or http_service");
  }
  out.resource.emplace_back("service.name",
                            proto.service_name().empty() ? "unknown_service:envoy" : proto.service_name());
  out.resource.emplace_back("telemetry.sdk.language", "cpp");
  out.resource.emplace_back("telemetry.sdk.name", "envoy");
  compile_detectors(proto.resource_detectors(), out.resource, scope);
  if (proto.has_sampler()) out.sampler = compile_sampler(proto.sampler(), scope);
  if (proto.has_max_cache_size()) out.max_spans = proto.max_cache_size().value();
  out.min_flush_spans = scope.runtime.live_number(5, "tracing.opentelemetry.min_flush_spans");
  out.flush_interval_ms = scope.runtime.live_number(5000, "tracing.opentelemetry.flush_interval_ms");
  return std::make_shared<const OpenTelemetryFactory>(std::move(out));
}

}  // namespace

config::TracerType opentelemetry() { return {"envoy.config.trace.v3.OpenTelemetryConfig", &compile}; }

}  // namespace sluice::exporters
