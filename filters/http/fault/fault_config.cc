#include "filters/http/fault/fault_config.h"

#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "config/metadata_compiler.h"
#include "envoy/extensions/filters/http/fault/v3/fault.pb.h"
#include "filters/http/fault/fault.h"

namespace sluice::filters::fault {
namespace {

namespace v3 = envoy::extensions::filters::http::fault::v3;
namespace common = envoy::extensions::filters::common::fault::v3;
using config::CompileScope;
using google::protobuf::Message;

// `key` names the runtime value, `fallback` does when it is empty.
model::Fraction compile_share(const envoy::type::v3::FractionalPercent& share, const std::string& key,
                              const char* fallback, CompileScope& scope) {
  envoy::config::core::v3::RuntimeFractionalPercent percent;
  *percent.mutable_default_value() = share;
  percent.set_runtime_key(key.empty() ? fallback : key);
  return config::compile_fraction(percent, scope);
}

uint64_t runtime_number(const std::string& key, const char* fallback, uint64_t value, CompileScope& scope) {
  return scope.runtime.number(key.empty() ? std::string_view(fallback) : std::string_view(key)).value_or(value);
}

Settings::Delay compile_delay(const v3::HTTPFault& proto, CompileScope& scope) {
  Settings::Delay out;
  out.share = compile_share(proto.delay().percentage(), proto.delay_percent_runtime(),
                            "fault.http.delay.fixed_delay_percent", scope);
  if (proto.delay().has_fixed_delay()) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(config::to_duration(proto.delay().fixed_delay()));
    out.fixed =
        std::chrono::milliseconds(runtime_number(proto.delay_duration_runtime(), "fault.http.delay.fixed_duration_ms",
                                                 static_cast<uint64_t>(ms.count()), scope));
  }
  return out;
}

Settings::Abort compile_abort(const v3::HTTPFault& proto, CompileScope& scope) {
  const v3::FaultAbort& abort = proto.abort();
  Settings::Abort out;
  out.share = compile_share(abort.percentage(), proto.abort_percent_runtime(), "fault.http.abort.abort_percent", scope);
  out.body = abort.response_body();
  if (abort.error_type_case() == v3::FaultAbort::kHttpStatus) {
    out.http_status = static_cast<uint16_t>(
        runtime_number(proto.abort_http_status_runtime(), "fault.http.abort.http_status", abort.http_status(), scope));
  } else if (abort.error_type_case() == v3::FaultAbort::kGrpcStatus) {
    out.grpc_status = static_cast<uint32_t>(
        runtime_number(proto.abort_grpc_status_runtime(), "fault.http.abort.grpc_status", abort.grpc_status(), scope));
  }
  return out;
}

Settings compile_settings(const v3::HTTPFault& proto, CompileScope& scope) {
  using F = v3::HTTPFault;
  scope.only(proto, {F::kDelayFieldNumber, F::kAbortFieldNumber, F::kUpstreamClusterFieldNumber, F::kHeadersFieldNumber,
                     F::kDownstreamNodesFieldNumber, F::kMaxActiveFaultsFieldNumber, F::kResponseRateLimitFieldNumber,
                     F::kDelayPercentRuntimeFieldNumber, F::kAbortPercentRuntimeFieldNumber,
                     F::kDelayDurationRuntimeFieldNumber, F::kAbortHttpStatusRuntimeFieldNumber,
                     F::kMaxActiveFaultsRuntimeFieldNumber, F::kResponseRateLimitPercentRuntimeFieldNumber,
                     F::kAbortGrpcStatusRuntimeFieldNumber, F::kFilterMetadataFieldNumber,
                     F::kDisableDownstreamClusterStatsFieldNumber});
  Settings out;
  if (proto.has_delay()) {
    out.delay = compile_delay(proto, scope);
  }
  if (proto.has_abort()) {
    out.abort = compile_abort(proto, scope);
  }
  if (proto.has_response_rate_limit()) {
    const common::FaultRateLimit& rate = proto.response_rate_limit();
    out.response_rate.emplace();
    out.response_rate->share = compile_share(rate.percentage(), proto.response_rate_limit_percent_runtime(),
                                             "fault.http.rate_limit.response_percent", scope);
    if (rate.has_fixed_limit()) {
      out.response_rate->kib_per_second = rate.fixed_limit().limit_kbps();
    }
  }
  out.upstream_cluster = proto.upstream_cluster();
  out.downstream_nodes.assign(proto.downstream_nodes().begin(), proto.downstream_nodes().end());
  out.headers = config::compile_header_matchers(proto.headers(), scope);
  out.max_active =
      runtime_number(proto.max_active_faults_runtime(), "fault.http.max_active_faults",
                     proto.has_max_active_faults() ? proto.max_active_faults().value() : UINT64_MAX, scope);
  out.metadata = config::to_map(proto.filter_metadata());
  out.caller_stats = !proto.disable_downstream_cluster_stats();
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const FaultFactory>(scope.filter_name,
                                              compile_settings(static_cast<const v3::HTTPFault&>(message), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return std::make_shared<const RouteSettings>(compile_settings(static_cast<const v3::HTTPFault&>(message), scope));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.fault.v3.HTTPFault",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.fault.v3.HTTPFault",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::fault
