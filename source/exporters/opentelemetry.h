// OpenTelemetryTracer: traces in W3C headers, and spans in OTLP over HTTP or gRPC.
// https://www.w3.org/TR/trace-context/  https://opentelemetry.io/docs/specs/otlp/
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "exporters/otel_sampler.h"
#include "proxy/tracer.h"
#include "stats/names_tracing.h"

namespace sluice::exporters {

// Compiled; Envoy's defaults. Immutable. Thread: any.
struct OpenTelemetryPlan {
  enum class Over : uint8_t { kGrpc, kHttp };
  Over over = Over::kGrpc;
  std::string cluster;
  std::string authority;                                    // empty: the cluster's name
  std::string path;                                         // of HTTP
  std::vector<std::pair<std::string, std::string>> fields;  // initial metadata
  Duration timeout{0};                                      // 0: five seconds, so that no report stays for ever
  std::vector<std::pair<std::string, std::string>> resource;
  std::shared_ptr<const OtelSampler> sampler;  // null: what tracing picks is sampled, unless the parent is not
  uint64_t max_spans = 1024;                   // max_cache_size
  runtime::Number min_flush_spans{5, nullptr};
  runtime::Number flush_interval_ms{5000, nullptr};
};

// As ZipkinTracer, a collector that does not answer costs what its few open reports hold. Thread: worker.
class OpenTelemetryTracer final : public proxy::Tracer {
 public:
  static constexpr size_t kMaxReports = 32;             // on their way
  static constexpr size_t kMaxWaitingBytes = 4u << 20;  // in one report

  OpenTelemetryTracer(const OpenTelemetryPlan& plan, const proxy::ProxyLocal& proxy);
  ~OpenTelemetryTracer() override;

  bool begin(trace::Span& span, const http::RequestHeaders& request, proxy::Traced decision) override;
  void begin_child(trace::Span& child, const trace::Span& parent) override;
  void inject(const trace::Span& span, http::RequestHeaders& request) override;
  void report(trace::Span& span) override;

 private:
  class Report;

  uint64_t new_id();
  void flush();
  void over(Report& report);

  const OpenTelemetryPlan& plan_;
  const proxy::ProxyLocal proxy_;
  stats::BlockId stats_;
  stats::Block<stats::OpenTelemetryStat> block_;
  std::string waiting_;  // spans
  uint64_t spans_ = 0;   // in waiting_
  event::Timer flush_;
  IntrusiveList<Report, Report> reports_;
  size_t open_reports_ = 0;
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
