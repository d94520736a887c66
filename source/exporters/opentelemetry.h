// OpenTelemetryTracer: traces in W3C headers, and spans in OTLP over HTTP or gRPC.
// https://www.w3.org/TR/trace-context/  https://opentelemetry.io/docs/specs/otlp/
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "event/loop.h"
#include "exporters/collector.h"
#include "exporters/otel_sampler.h"
#include "exporters/otlp_sender.h"
#include "proxy/tracer.h"
#include "stats/names_tracing.h"

namespace sluice::exporters {

// Compiled; Envoy's defaults. Immutable. Thread: any.
struct OpenTelemetryPlan {
  Collector collector;
  std::string resource;                        // a serialized opentelemetry.proto.resource.v1.Resource
  std::shared_ptr<const OtelSampler> sampler;  // null: what tracing picks is sampled, unless the parent is not
  uint64_t max_spans = 1024;                   // max_cache_size
  runtime::Number min_flush_spans{5, nullptr};
  runtime::Number flush_interval_ms{5000, nullptr};
};

// As ZipkinTracer, spans wait until there are enough of them, or for a while. Thread: worker.
class OpenTelemetryTracer final : public proxy::Tracer {
 public:
  static constexpr size_t kMaxWaitingBytes = 4u << 20;

  OpenTelemetryTracer(const OpenTelemetryPlan& plan, const proxy::ProxyLocal& proxy);
  ~OpenTelemetryTracer() override { proxy_.local.registry.release_block(stats_); }

  bool begin(trace::Span& span, const http::RequestHeaders& request, proxy::Traced decision) override;
  void begin_child(trace::Span& child, const trace::Span& parent) override;
  void inject(const trace::Span& span, http::RequestHeaders& request) override;
  void report(trace::Span& span) override;

 private:
  uint64_t new_id();
  void flush();

  const OpenTelemetryPlan& plan_;
  const proxy::ProxyLocal proxy_;
  stats::BlockId stats_;
  stats::Block<stats::OpenTelemetryStat> block_;
  std::string waiting_;  // spans
  uint64_t spans_ = 0;   // in waiting_
  event::Timer flush_;
  OtlpSender sender_;
};

class OpenTelemetryFactory final : public proxy::TracerFactory {
 public:
  explicit OpenTelemetryFactory(OpenTelemetryPlan plan) : plan_(std::move(plan)) {}
  std::unique_ptr<proxy::Tracer> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<OpenTelemetryTracer>(plan_, proxy);
  }

 private:
  const OpenTelemetryPlan plan_;
};

}  // namespace sluice::exporters
