#include "exporters/otlp_log_config.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/custom_tag_compiler.h"
#include "config/format_compiler.h"
#include "config/message_tree.h"
#include "envoy/extensions/access_loggers/open_telemetry/v3/logs_service.pb.h"
#include "exporters/collector_config.h"
#include "exporters/otel_extensions_config.h"
#include "exporters/otlp.h"
#include "exporters/otlp_log.h"
#include "exporters/wire.h"

namespace sluice::exporters {

namespace {

using config::CompileScope;
using envoy::extensions::access_loggers::grpc::v3::CommonGrpcAccessLogConfig;
using envoy::extensions::access_loggers::open_telemetry::v3::OpenTelemetryAccessLogConfig;
using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;

OtlpTemplate compile_template(const AnyValue& proto, const format::ParseOptions& options, CompileScope& scope) {
  OtlpTemplate out;
  switch (proto.value_case()) {
    case AnyValue::kStringValue:
      out.text = scope.formatter(proto, AnyValue::kStringValueFieldNumber, proto.string_value(), options);
      if (out.text) out.kind = OtlpTemplate::Kind::kText;
      break;
    case AnyValue::kArrayValue:
      out.kind = OtlpTemplate::Kind::kList;
      for (const AnyValue& item : proto.array_value().values()) {
        out.items.push_back(compile_template(item, options, scope));
      }
      break;
    case AnyValue::kKvlistValue:
      out.kind = OtlpTemplate::Kind::kMap;
      for (const KeyValue& pair : proto.kvlist_value().values()) {
        out.members.emplace_back(pair.key(), compile_template(pair.value(), options, scope));
      }
      break;
    default:
      scope.error(proto, "a value is a text, a list or a map");
      break;
  }
  return out;
}

// The old way to say it: log_name, the service and the batches of gRPC's access logs.
void compile_common(const CommonGrpcAccessLogConfig& proto, OtlpLogPlan& out, CompileScope& scope) {
  using Common = CommonGrpcAccessLogConfig;
  scope.only(proto,
             {Common::kLogNameFieldNumber, Common::kGrpcServiceFieldNumber, Common::kTransportApiVersionFieldNumber,
              Common::kBufferFlushIntervalFieldNumber, Common::kBufferSizeBytesFieldNumber,
              Common::kFilterStateObjectsToLogFieldNumber, Common::kCustomTagsFieldNumber});
  out.collector = compile_grpc_collector(proto.grpc_service(), scope);
  out.log_name = proto.log_name();
}

// Both messages have these fields.
template <typename Proto>
void compile_batch(const Proto& proto, BatchPlan& out) {
  if (proto.has_buffer_size_bytes()) out.size_bytes = proto.buffer_size_bytes().value();
  if (proto.has_buffer_flush_interval()) out.interval = config::to_duration(proto.buffer_flush_interval());
}

template <typename Proto>
void compile_additions(const Proto& proto, OtlpLogFields& out, CompileScope& scope) {
  for (const std::string& name : proto.filter_state_objects_to_log()) out.filter_state.push_back(name);
  for (model::CustomTag& tag : config::compile_custom_tags(proto.custom_tags(), scope)) {
    out.tags.push_back(std::move(tag));
  }
}

// What stands in resource_attributes wins over what is detected.
void compile_resource_detectors(const OpenTelemetryAccessLogConfig& proto, OtlpLogPlan& out, CompileScope& scope) {
  std::vector<std::pair<std::string, std::string>> detected;
  compile_detectors(proto.resource_detectors(), detected, scope);
  const auto& fixed = proto.resource_attributes().values();
  for (const auto& [name, value] : detected) {
    const bool is_fixed =
        std::any_of(fixed.begin(), fixed.end(), [&name = name](const KeyValue& one) { return one.key() == name; });
    if (!is_fixed) append_otlp_resource(out.resource, name, value);
  }
}

OtlpLogPlan compile_sink(const OpenTelemetryAccessLogConfig& proto, CompileScope& scope) {
  using Otel = OpenTelemetryAccessLogConfig;
  OtlpLogPlan out;
  const bool common = proto.common_config().has_grpc_service();
  if (common + proto.has_grpc_service() + proto.has_http_service() != 1) {
    scope.error(proto, "needs one of grpc_service, http_service and common_config.grpc_service");
  }
  if (proto.has_common_config()) {
    compile_common(proto.common_config(), out, scope);
    compile_batch(proto.common_config(), out.batch);
  }
  if (proto.has_grpc_service()) out.collector = compile_grpc_collector(proto.grpc_service(), scope);
  if (proto.has_http_service()) out.collector = compile_http_collector(proto.http_service(), scope);
  if (!proto.log_name().empty()) out.log_name = proto.log_name();
  compile_batch(proto, out.batch);
  out.names_us = !proto.disable_builtin_labels();
  compile_resource_detectors(proto, out, scope);
  for (const KeyValue& attribute : proto.resource_attributes().values()) {
    wire::append_bytes(out.resource, 1, config::bytes_of(attribute));
  }
  if (!proto.stat_prefix().empty()) out.stat_prefix = cat(proto.stat_prefix(), ".");
  Otel shared = proto;  // without what is of one access log
  shared.clear_body();
  shared.clear_attributes();
  shared.clear_formatters();
  shared.clear_filter_state_objects_to_log();
  shared.clear_custom_tags();
  out.key = cat("otlp ", config::bytes_of(shared));
  return out;
}

std::shared_ptr<const model::AccessLoggerPlan> compile_otlp_log(const google::protobuf::Message& message,
                                                                CompileScope& scope) {
  using Otel = OpenTelemetryAccessLogConfig;
  const auto& proto = static_cast<const Otel&>(message);
  scope.only(proto, {Otel::kCommonConfigFieldNumber, Otel::kHttpServiceFieldNumber, Otel::kGrpcServiceFieldNumber,
                     Otel::kDisableBuiltinLabelsFieldNumber, Otel::kResourceAttributesFieldNumber,
                     Otel::kBodyFieldNumber, Otel::kAttributesFieldNumber, Otel::kStatPrefixFieldNumber,
                     Otel::kFormattersFieldNumber, Otel::kLogNameFieldNumber, Otel::kBufferFlushIntervalFieldNumber,
                     Otel::kBufferSizeBytesFieldNumber, Otel::kFilterStateObjectsToLogFieldNumber,
                     Otel::kCustomTagsFieldNumber, Otel::kResourceDetectorsFieldNumber});
  format::ParseOptions options;
  config::compile_formatters(proto.formatters(), options, scope);
  OtlpLogFields fields;
  if (proto.body().value_case() != AnyValue::VALUE_NOT_SET)
    fields.body = compile_template(proto.body(), options, scope);
  for (const KeyValue& attribute : proto.attributes().values()) {
    fields.attributes.emplace_back(attribute.key(), compile_template(attribute.value(), options, scope));
  }
  if (proto.has_common_config()) compile_additions(proto.common_config(), fields, scope);
  compile_additions(proto, fields, scope);
  return std::make_shared<const OtlpLogFactory>(std::make_shared<const OtlpLogPlan>(compile_sink(proto, scope)),
                                                std::move(fields));
}

}  // namespace

config::AccessLoggerType otlp_log() {
  return {"envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", &compile_otlp_log};
}

}  // namespace sluice::exporters
