#include "exporters/zipkin_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/config/trace/v3/zipkin.pb.h"
#include "exporters/collector_config.h"
#include "exporters/zipkin.h"

namespace sluice::exporters {

namespace {

using config::CompileScope;
using Zipkin = envoy::config::trace::v3::ZipkinConfig;

std::shared_ptr<const model::TracerPlan> compile_zipkin(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Zipkin&>(message);
  scope.only(proto, {Zipkin::kCollectorClusterFieldNumber, Zipkin::kCollectorEndpointFieldNumber,
                     Zipkin::kTraceId128BitFieldNumber, Zipkin::kSharedSpanContextFieldNumber,
                     Zipkin::kCollectorEndpointVersionFieldNumber, Zipkin::kCollectorHostnameFieldNumber,
                     Zipkin::kTraceContextOptionFieldNumber, Zipkin::kCollectorServiceFieldNumber});
  ZipkinPlan out;
  if (proto.has_collector_service()) {  // the fields for the same say nothing then
    out.collector = compile_http_collector(proto.collector_service(), scope);
    scope.require_cluster(proto, Zipkin::kCollectorServiceFieldNumber, out.collector.cluster);
  } else {
    out.collector = {proto.collector_cluster(), proto.collector_hostname(), proto.collector_endpoint(), {}, Duration(0),
                     Collector::Over::kHttp};
    if (out.collector.cluster.empty() || out.collector.path.empty()) {
      scope.error(proto, "needs collector_cluster and collector_endpoint");
    } else {
      scope.require_cluster(proto, Zipkin::kCollectorClusterFieldNumber, out.collector.cluster);
    }
  }
  if (proto.collector_endpoint_version() != Zipkin::HTTP_JSON) {
    scope.error(proto, Zipkin::kCollectorEndpointVersionFieldNumber,
                cat("not supported yet: ", Zipkin::CollectorEndpointVersion_Name(proto.collector_endpoint_version()),
                    "; HTTP_JSON is"));
  }
  out.service = scope.node.cluster;
  out.wide_trace_ids = proto.trace_id_128bit();
  out.shared_span_context = !proto.has_shared_span_context() || proto.shared_span_context().value();
  out.w3c_too = proto.trace_context_option() == Zipkin::USE_B3_WITH_W3C_PROPAGATION;
  out.min_flush_spans = scope.runtime.live_number(5, "tracing.zipkin.min_flush_spans");
  out.flush_interval_ms = scope.runtime.live_number(5000, "tracing.zipkin.flush_interval_ms");
  out.request_timeout_ms = scope.runtime.live_number(5000, "tracing.zipkin.request_timeout");
  return std::make_shared<const ZipkinFactory>(std::move(out));
}

}  // namespace

config::TracerType zipkin() { return {"envoy.config.trace.v3.ZipkinConfig", &compile_zipkin}; }

}  // namespace sluice::exporters
