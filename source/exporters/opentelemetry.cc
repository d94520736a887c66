#include "exporters/opentelemetry.h"

#include <utility>

#include "base/strings.h"
#include "exporters/otlp.h"

namespace sluice::exporters {

using stats::OpenTelemetryStat;
using trace::Span;

namespace {
constexpr std::string_view kExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
}  // namespace

OpenTelemetryTracer::OpenTelemetryTracer(const OpenTelemetryPlan& plan, const proxy::ProxyLocal& proxy)
    : plan_(plan),
      proxy_(proxy),
      stats_(proxy.local.registry.add_block<OpenTelemetryStat>("tracing.opentelemetry.")),
      block_(proxy.local.cells.block<OpenTelemetryStat>(stats_)),
      flush_(proxy.local.loop.timers(),
             [this] {
               block_.inc(OpenTelemetryStat::kTimerFlushed);
               flush();
             }),
      sender_(plan.collector, kExport, proxy_, [this](uint64_t) { block_.inc(OpenTelemetryStat::kReportsFailed); }) {}

uint64_t OpenTelemetryTracer::new_id() {
  uint64_t id = 0;
  while (id == 0) id = proxy_.local.random.next();
  return id;
}

// A parent that is not sampled stays so; one that is may be turned off here.
bool OpenTelemetryTracer::begin(Span& span, const http::RequestHeaders& request, proxy::Traced decision) {
  span.name = span.kind == trace::SpanKind::kServer ? std::string("ingress") : cat("egress ", request.authority);
  trace::Context came;
  bool sampled = false;
  span.sampled = decision == proxy::Traced::kYes;
  switch (trace::read_traceparent(request.fields, came, sampled)) {
    case trace::Found::kBroken:
      return false;
    case trace::Found::kNothing:
      span.context = {new_id(), new_id(), new_id(), std::nullopt};
      if (plan_.sampler != nullptr && span.sampled) span.sampled = plan_.sampler->takes(span.context, std::nullopt);
      return true;
    case trace::Found::kContext:
      break;
  }
  span.context = came;
  span.context.parent = came.span;
  span.context.span = new_id();
  span.sampled = span.sampled && (plan_.sampler == nullptr ? sampled : plan_.sampler->takes(span.context, sampled));
  return true;
}

void OpenTelemetryTracer::begin_child(Span& child, const Span& parent) {
  child.kind = trace::SpanKind::kClient;
  child.context = parent.context;
  child.context.parent = parent.context.span;
  child.context.span = new_id();
  child.sampled = parent.sampled;
}

void OpenTelemetryTracer::inject(const Span& span, http::RequestHeaders& request) {
  http::HeaderMap& fields = request.fields;
  trace::write_traceparent(span.context, span.sampled, fields);
  // As Envoy: what came with the trace goes on, as one line; what came without one is no state of ours.
  if (!span.context.parent) {
    fields.set(http::Token::kTracestate, "");
  } else if (fields.count(http::Token::kTracestate) != 1) {
    std::string all;
    for (const http::HeaderField& field : fields) {
      if (field.token == http::Token::kTracestate) append(all, all.empty() ? "" : ",", field.value());
    }
    fields.set_copy(http::Token::kTracestate, all);
  }
}

void OpenTelemetryTracer::report(Span& span) {
  if (spans_ >= plan_.max_spans || waiting_.size() > kMaxWaitingBytes) {
    block_.inc(OpenTelemetryStat::kSpansDropped);
    return;
  }
  append_otlp_span(waiting_, span);
  if (++spans_ >= plan_.min_flush_spans.now()) {
    flush();
  } else if (!flush_.armed()) {
    flush_.arm(std::chrono::milliseconds(plan_.flush_interval_ms.now()));
  }
}

void OpenTelemetryTracer::flush() {
  flush_.cancel();
  if (spans_ == 0) return;
  const std::string body = otlp_request(plan_.resource, waiting_);
  waiting_.clear();
  const uint64_t spans = std::exchange(spans_, 0);
  block_.add(sender_.send(body, spans) ? OpenTelemetryStat::kSpansSent : OpenTelemetryStat::kSpansDropped, spans);
}

}  // namespace sluice::exporters
