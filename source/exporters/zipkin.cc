#include "exporters/zipkin.h"

#include <algorithm>
#include <utility>

#include "base/intrusive_list.h"
#include "base/strings.h"
#include "net/address.h"

namespace sluice::exporters {

using http::Token;
using stats::ZipkinStat;
using trace::Span;

namespace {

void append_hex(std::string& to, uint64_t id) {
  for (int shift = 60; shift >= 0; shift -= 4) to.push_back("0123456789abcdef"[id >> shift & 15]);
}

void append_member(std::string& to, std::string_view name, std::string_view text) {
  append(to, json_quote(name), ":", json_quote(text));
}

std::string our_endpoint(const ZipkinPlan& plan, const proxy::ProxyLocal& proxy) {
  const std::string& ip = proxy.state.machine_ip;
  std::string out = "{";
  if (!ip.empty()) {
    append_member(out, ip.find(':') == std::string::npos ? "ipv4" : "ipv6", ip);
    out += ',';
  }
  out += "\"port\":0,";
  append_member(out, "serviceName", plan.service);
  out += '}';
  return out;
}

}  // namespace

void append_zipkin_span(std::string& to, Span& span, std::string_view endpoint, bool shared) {
  const bool server = span.kind == trace::SpanKind::kServer;
  const int64_t duration =
      std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(span.duration).count());
  append(to, "{\"annotations\":[{\"timestamp\":", span.start.us + duration, ",\"value\":\"", server ? "ss" : "cr",
         "\"}],\"duration\":", duration, ",\"id\":\"");
  append_hex(to, span.context.span);
  append(to, "\",\"kind\":\"", server ? "SERVER" : "CLIENT", "\",\"localEndpoint\":", endpoint, ",");
  append_member(to, "name", span.name);
  if (span.context.parent) {
    to += ",\"parentId\":\"";
    append_hex(to, *span.context.parent);
    to += '"';
  }
  if (server && shared) to += ",\"shared\":true";
  to += ",\"tags\":{";
  std::sort(span.tags.begin(), span.tags.end(),
            [](const trace::Tag& a, const trace::Tag& b) { return a.name < b.name; });
  bool first = true;
  for (const trace::Tag& tag : span.tags) {
    if (!std::exchange(first, false)) to += ',';
    append_member(to, tag.name, tag.value);
  }
  append(to, "},\"timestamp\":", span.start.us, ",\"traceId\":\"");
  if (span.context.trace_high != 0) append_hex(to, span.context.trace_high);
  append_hex(to, span.context.trace_low);
  to += "\"}";
}

// One batch on its way. Thread: worker.
class ZipkinTracer::Report final : public IntrusiveNode<Report>, private upstream::UnaryUser {
 public:
  Report(ZipkinTracer& tracer, const upstream::CallOptions& options)
      : tracer_(tracer),
        call_(new upstream::UnaryCall(tracer.proxy_.local, static_cast<upstream::UnaryUser&>(*this), options,
                                      kMaxAnswer)) {}
  void start(upstream::Cluster* cluster, const std::string& body) {
    http::RequestHeaders& headers = call_->headers();
    headers.method = "POST";
    const Collector& collector = tracer_.plan_.collector;
    headers.path = collector.path;
    headers.authority = collector.authority;
    headers.fields.add(Token::kContentType, "application/json");
    add_fields(collector, tracer_.proxy_.local.loop, headers.fields);
    call_->start(cluster, body);
  }

 private:
  static constexpr size_t kMaxAnswer = 64 * 1024;

  void on_answer(const http::ResponseHeaders& headers, std::string_view) override {
    tracer_.block_.inc(headers.status == 202 ? ZipkinStat::kReportsSent : ZipkinStat::kReportsDropped);
    tracer_.over(*this);
  }
  void on_no_answer(std::string_view) override {
    tracer_.block_.inc(ZipkinStat::kReportsFailed);
    tracer_.over(*this);
  }

  ZipkinTracer& tracer_;
  upstream::UnaryCallPtr call_;
};

ZipkinTracer::ZipkinTracer(const ZipkinPlan& plan, const proxy::ProxyLocal& proxy)
    : plan_(plan),
      proxy_(proxy),
      endpoint_json_(our_endpoint(plan, proxy)),
      stats_(proxy.local.registry.add_block<ZipkinStat>("tracing.zipkin.")),
      block_(proxy.local.cells.block<ZipkinStat>(stats_)),
      flush_(proxy.local.loop.timers(), [this] {
        block_.inc(ZipkinStat::kTimerFlushed);
        flush();
      }) {}

ZipkinTracer::~ZipkinTracer() {
  while (Report* report = reports_.front()) over(*report);
  proxy_.local.registry.release_block(stats_);
}

void ZipkinTracer::over(Report& report) {
  report.unlink();
  --open_reports_;
  delete &report;
}

uint64_t ZipkinTracer::new_id() {
  uint64_t id = 0;
  while (id == 0) id = proxy_.local.random.next();
  return id;
}

bool ZipkinTracer::begin(Span& span, const http::RequestHeaders& request, proxy::Traced decision) {
  span.name = request.authority;
  trace::Context came;
  trace::Found found = trace::read_b3(request.fields, came);
  span.sampled = decision == proxy::Traced::kYes;
  if (const auto sampled = trace::b3_sampled(request.fields)) span.sampled = *sampled;
  if (found == trace::Found::kNothing && plan_.w3c_too) {
    bool sampled = false;
    found = trace::read_traceparent(request.fields, came, sampled);
    if (found == trace::Found::kContext) span.sampled = sampled;
  }
  if (found == trace::Found::kBroken) return false;
  if (found == trace::Found::kNothing) {
    span.context.span = span.context.trace_low = new_id();
    if (plan_.wide_trace_ids) span.context.trace_high = new_id();
    return true;
  }
  span.context = came;
  if (!plan_.shared_span_context || span.kind == trace::SpanKind::kClient) {
    span.context.parent = came.span;
    span.context.span = new_id();
  }
  return true;
}

namespace {

// As it came: in one line.
void write_single(const trace::Span& span, http::HeaderMap& fields) {
  Arena& arena = fields.arena();
  char line[80];
  size_t size = 0;
  const auto put = [&](std::string_view text) { size += text.copy(line + size, text.size()); };
  put(trace::trace_id_text(span.context, arena));
  put("-");
  put(trace::span_id_text(span.context.span, arena));
  put(span.sampled ? "-1" : "-0");
  if (span.context.parent) {
    put("-");
    put(trace::span_id_text(*span.context.parent, arena));
  }
  fields.remove("b3");
  fields.add("b3", arena.copy(std::string_view(line, size)));
}

}  // namespace

void ZipkinTracer::begin_child(Span& child, const Span& parent) {
  child.context = parent.context;
  child.sampled = parent.sampled;
  if (child.kind == trace::SpanKind::kServer && plan_.shared_span_context) return;  // the two are one span
  child.context.parent = parent.context.span;
  child.context.span = new_id();
}

void ZipkinTracer::inject(const Span& span, http::RequestHeaders& request) {
  if (request.fields.get("b3").data() != nullptr) {
    write_single(span, request.fields);
  } else {
    trace::write_b3(span.context, span.sampled, request.fields);
  }
  if (plan_.w3c_too) trace::write_traceparent(span.context, span.sampled, request.fields);
}

void ZipkinTracer::report(Span& span) {
  if (waiting_.size() > kMaxWaitingBytes) flush();
  if (!waiting_.empty()) waiting_ += ',';
  append_zipkin_span(waiting_, span, endpoint_json_, plan_.shared_span_context);
  if (++spans_ >= plan_.min_flush_spans.now()) {
    flush();
  } else if (!flush_.armed()) {
    flush_.arm(std::chrono::milliseconds(plan_.flush_interval_ms.now()));
  }
}

void ZipkinTracer::flush() {
  flush_.cancel();
  if (spans_ == 0) return;
  const std::string body = cat("[", waiting_, "]");
  waiting_.clear();
  block_.add(ZipkinStat::kSpansSent, std::exchange(spans_, 0));
  upstream::Cluster* cluster = proxy_.clusters.find(plan_.collector.cluster);
  if (cluster == nullptr) {
    block_.inc(ZipkinStat::kReportsSkippedNoCluster);
    return;
  }
  if (open_reports_ >= kMaxReports) {
    block_.inc(ZipkinStat::kReportsDropped);
    return;
  }
  upstream::CallOptions options;
  options.timeout = plan_.collector.timeout.count() > 0
                        ? plan_.collector.timeout
                        : Duration(std::chrono::milliseconds(plan_.request_timeout_ms.now()));
  options.max_queued = 2 * kMaxWaitingBytes;
  options.machine_ip = proxy_.state.machine_ip;
  auto* report = new Report(*this, options);
  reports_.push_back(*report);
  ++open_reports_;
  report->start(cluster, body);
}

}  // namespace sluice::exporters
