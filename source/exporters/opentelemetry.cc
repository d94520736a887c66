#include "exporters/opentelemetry.h"

#include <utility>

#include "base/strings.h"
#include "exporters/otlp.h"
#include "upstream/grpc_stream.h"
#include "upstream/unary_call.h"

namespace sluice::exporters {

using http::Token;
using stats::OpenTelemetryStat;
using trace::Span;

namespace {
constexpr Duration kTimeout = std::chrono::seconds(5);
constexpr size_t kMaxAnswer = 64 * 1024;
constexpr std::string_view kExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
}  // namespace

// One batch on its way. Thread: worker.
class OpenTelemetryTracer::Report final : public IntrusiveNode<Report>,
                                          private upstream::UnaryUser,
                                          private upstream::GrpcUser {
 public:
  explicit Report(OpenTelemetryTracer& tracer) : tracer_(tracer) {}

  void start(upstream::Cluster* cluster, const std::string& body) {
    const OpenTelemetryPlan& plan = tracer_.plan_;
    upstream::CallOptions options;
    options.timeout = plan.timeout.count() > 0 ? plan.timeout : kTimeout;
    options.max_queued = 2 * kMaxWaitingBytes;
    options.machine_ip = tracer_.proxy_.state.machine_ip;
    upstream::WorkerLocal& local = tracer_.proxy_.local;
    if (plan.over == OpenTelemetryPlan::Over::kGrpc) {
      stream_.reset(
          new upstream::GrpcStream(local, static_cast<upstream::GrpcUser&>(*this), kExport, options, kMaxAnswer));
      add_fields(stream_->headers());
      stream_->start(cluster);
      stream_->send(body);
      stream_->finish();
      return;
    }
    call_.reset(new upstream::UnaryCall(local, static_cast<upstream::UnaryUser&>(*this), options, kMaxAnswer));
    http::RequestHeaders& headers = call_->headers();
    headers.method = "POST";
    headers.path = plan.path;
    headers.fields.add(Token::kContentType, "application/x-protobuf");
    add_fields(headers);
    call_->start(cluster, body);
  }

 private:
  void add_fields(http::RequestHeaders& headers) {
    headers.authority = tracer_.plan_.authority;
    for (const auto& [name, value] : tracer_.plan_.fields) headers.fields.add(name, value);
  }
  void on_answer(const http::ResponseHeaders& headers, std::string_view) override {
    if (headers.status / 100 != 2) tracer_.block_.inc(OpenTelemetryStat::kReportsFailed);
    tracer_.over(*this);
  }
  void on_no_answer(std::string_view) override {
    tracer_.block_.inc(OpenTelemetryStat::kReportsFailed);
    tracer_.over(*this);
  }
  void on_grpc_message(std::string_view) override {}
  void on_grpc_end(uint32_t status, std::string_view) override {
    if (status != http::kGrpcOk) tracer_.block_.inc(OpenTelemetryStat::kReportsFailed);
    tracer_.over(*this);
  }

  OpenTelemetryTracer& tracer_;
  upstream::UnaryCallPtr call_;
  upstream::GrpcStreamPtr stream_;
};

OpenTelemetryTracer::OpenTelemetryTracer(const OpenTelemetryPlan& plan, const proxy::ProxyLocal& proxy)
    : plan_(plan),
      proxy_(proxy),
      stats_(proxy.local.registry.add_block<OpenTelemetryStat>("tracing.opentelemetry.")),
      block_(proxy.local.cells.block<OpenTelemetryStat>(stats_)),
      flush_(proxy.local.loop.timers(), [this] {
        block_.inc(OpenTelemetryStat::kTimerFlushed);
        flush();
      }) {}

OpenTelemetryTracer::~OpenTelemetryTracer() {
  while (Report* report = reports_.front()) over(*report);
  proxy_.local.registry.release_block(stats_);
}

void OpenTelemetryTracer::over(Report& report) {
  report.unlink();
  --open_reports_;
  delete &report;
}

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
  trace::write_traceparent(span.context, span.sampled, request.fields);
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
  upstream::Cluster* cluster = proxy_.clusters.find(plan_.cluster);
  if (cluster == nullptr || open_reports_ >= kMaxReports) {
    block_.add(OpenTelemetryStat::kSpansDropped, spans);
    return;
  }
  block_.add(OpenTelemetryStat::kSpansSent, spans);
  auto* report = new Report(*this);
  reports_.push_back(*report);
  ++open_reports_;
  report->start(cluster, body);
}

}  // namespace sluice::exporters
