// ZipkinTracer: traces in B3 headers, and spans as Zipkin's collectors take them (v2, JSON).
// https://zipkin.io/zipkin-api/  https://github.com/openzipkin/b3-propagation
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "event/loop.h"
#include "exporters/collector.h"
#include "proxy/tracer.h"
#include "stats/names_tracing.h"
#include "upstream/unary_call.h"

namespace sluice::exporters {

// Compiled; Envoy's defaults. Immutable. Thread: any.
struct ZipkinPlan {
  // Without collector_service: no fields, and a timeout of 0, for the runtime says how long.
  Collector collector;
  std::string service;  // of our spans: the cluster of the node
  bool wide_trace_ids = false;
  bool shared_span_context = true;  // the spans of a client and its server are one
  bool w3c_too = false;             // traceparent beside B3
  runtime::Number min_flush_spans{5, nullptr};
  runtime::Number flush_interval_ms{5000, nullptr};
  runtime::Number request_timeout_ms{5000, nullptr};
};

// Spans wait as text until there are enough of them, or for a while. A collector that does not answer costs what its
// few open reports hold: the next ones are dropped and counted. Thread: worker.
class ZipkinTracer final : public proxy::Tracer {
 public:
  static constexpr size_t kMaxReports = 32;            // on their way
  static constexpr size_t kMaxWaitingBytes = 1 << 20;  // in one report

  ZipkinTracer(const ZipkinPlan& plan, const proxy::ProxyLocal& proxy);
  ~ZipkinTracer() override;

  bool begin(trace::Span& span, const http::RequestHeaders& request, proxy::Traced decision) override;
  void begin_child(trace::Span& child, const trace::Span& parent) override;
  void inject(const trace::Span& span, http::RequestHeaders& request) override;
  bool shows_spans() const override { return false; }
  void report(trace::Span& span) override;

 private:
  class Report;

  uint64_t new_id();
  void flush();
  void over(Report& report);

  const ZipkinPlan& plan_;
  const proxy::ProxyLocal proxy_;
  const std::string endpoint_json_;  // ours
  stats::BlockId stats_;
  stats::Block<stats::ZipkinStat> block_;
  std::string waiting_;  // spans with commas between
  uint64_t spans_ = 0;   // in waiting_
  event::Timer flush_;
  IntrusiveList<Report, Report> reports_;
  size_t open_reports_ = 0;
};

class ZipkinFactory final : public proxy::TracerFactory {
 public:
  explicit ZipkinFactory(ZipkinPlan plan) : plan_(std::move(plan)) {}
  std::unique_ptr<proxy::Tracer> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<ZipkinTracer>(plan_, proxy);
  }

 private:
  const ZipkinPlan plan_;
};

// One span as an object of JSON. `endpoint`: ours, as JSON.
void append_zipkin_span(std::string& to, trace::Span& span, std::string_view endpoint, bool shared);

}  // namespace sluice::exporters
