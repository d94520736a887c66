#include "exporters/als_config.h"

#include <algorithm>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/custom_tag_compiler.h"
#include "config/message_tree.h"
#include "envoy/extensions/access_loggers/grpc/v3/als.pb.h"
#include "exporters/als.h"
#include "exporters/collector_config.h"

namespace sluice::exporters {

namespace {

using config::CompileScope;
namespace core = envoy::config::core::v3;
namespace grpc = envoy::extensions::access_loggers::grpc::v3;
using Common = grpc::CommonGrpcAccessLogConfig;

// Which failures there are to retry: a stream goes on until somebody ends it, so only its connection may fail before
// anything was sent.
bool retries_connections(std::string_view retry_on) {
  if (retry_on.empty()) return true;
  for (const std::string_view one : split(retry_on, ',')) {
    for (const std::string_view fitting :
         {"connect-failure", "reset", "reset-before-request", "5xx", "gateway-error"}) {
      if (trim(one) == fitting) return true;
    }
  }
  return false;
}

AlsRetries compile_retries(const core::RetryPolicy& proto, CompileScope& scope) {
  using Policy = core::RetryPolicy;
  scope.only(proto, {Policy::kRetryBackOffFieldNumber, Policy::kNumRetriesFieldNumber, Policy::kRetryOnFieldNumber});
  AlsRetries out;
  out.times = proto.has_num_retries() ? proto.num_retries().value() : 1;
  if (!retries_connections(proto.retry_on())) {
    scope.error(proto, Policy::kRetryOnFieldNumber,
                cat("not supported yet: '", proto.retry_on(), "' without connect-failure, reset or 5xx"));
  }
  if (!proto.has_retry_back_off()) return out;
  const auto& back_off = proto.retry_back_off();
  out.base = config::to_duration(back_off.base_interval());
  out.longest = back_off.has_max_interval() ? config::to_duration(back_off.max_interval()) : out.base * 10;
  out.base = std::min(out.base, out.longest);  // Envoy takes any two here
  return out;
}

std::shared_ptr<const AlsStreamPlan> compile_stream(AlsKind kind, const Common& proto, CompileScope& scope) {
  scope.only(proto, {Common::kLogNameFieldNumber, Common::kGrpcServiceFieldNumber,
                     Common::kTransportApiVersionFieldNumber, Common::kBufferFlushIntervalFieldNumber,
                     Common::kBufferSizeBytesFieldNumber, Common::kFilterStateObjectsToLogFieldNumber,
                     Common::kCustomTagsFieldNumber, Common::kGrpcStreamRetryPolicyFieldNumber});
  if (proto.transport_api_version() == envoy::config::core::v3::V2) {
    scope.error(proto, Common::kTransportApiVersionFieldNumber, "V2 is no more; the version is V3");
  }
  auto out = std::make_shared<AlsStreamPlan>();
  out->kind = kind;
  // A timeout of the service says nothing here: the stream stays for ever.
  out->collector = compile_grpc_collector(proto.grpc_service(), scope);
  out->log_name = proto.log_name();
  if (proto.has_buffer_size_bytes()) out->batch.size_bytes = proto.buffer_size_bytes().value();
  if (proto.has_buffer_flush_interval()) out->batch.interval = config::to_duration(proto.buffer_flush_interval());
  if (proto.has_grpc_stream_retry_policy()) out->retries = compile_retries(proto.grpc_stream_retry_policy(), scope);
  Common shared = proto;
  shared.clear_filter_state_objects_to_log();
  shared.clear_custom_tags();
  out->key = cat(kind == AlsKind::kHttp ? "http " : "tcp ", config::bytes_of(shared));
  return out;
}

AlsFields compile_fields(const Common& proto, CompileScope& scope) {
  AlsFields out;
  out.filter_state.assign(proto.filter_state_objects_to_log().begin(), proto.filter_state_objects_to_log().end());
  out.tags = config::compile_custom_tags(proto.custom_tags(), scope);
  return out;
}

template <typename Names>
std::vector<std::string> lower(const Names& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (!name.empty()) out.push_back(to_lower(name));
  }
  return out;
}

std::shared_ptr<const model::AccessLoggerPlan> compile_http(const google::protobuf::Message& message,
                                                            CompileScope& scope) {
  using Proto = grpc::HttpGrpcAccessLogConfig;
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto,
             {Proto::kCommonConfigFieldNumber, Proto::kAdditionalRequestHeadersToLogFieldNumber,
              Proto::kAdditionalResponseHeadersToLogFieldNumber, Proto::kAdditionalResponseTrailersToLogFieldNumber});
  AlsFields fields = compile_fields(proto.common_config(), scope);
  fields.request_headers = lower(proto.additional_request_headers_to_log());
  fields.response_headers = lower(proto.additional_response_headers_to_log());
  fields.response_trailers = lower(proto.additional_response_trailers_to_log());
  return std::make_shared<const AlsFactory>(compile_stream(AlsKind::kHttp, proto.common_config(), scope),
                                            std::move(fields));
}

std::shared_ptr<const model::AccessLoggerPlan> compile_tcp(const google::protobuf::Message& message,
                                                           CompileScope& scope) {
  using Proto = grpc::TcpGrpcAccessLogConfig;
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kCommonConfigFieldNumber});
  return std::make_shared<const AlsFactory>(compile_stream(AlsKind::kTcp, proto.common_config(), scope),
                                            compile_fields(proto.common_config(), scope));
}

}  // namespace

config::AccessLoggerType http_als() {
  return {"envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", &compile_http};
}

config::AccessLoggerType tcp_als() {
  return {"envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig", &compile_tcp};
}

}  // namespace sluice::exporters
