#include "proxy/exchange_trace.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "format/response_flags.h"
#include "http/grpc.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

using http::Token;
using stats::TracingStat;
using trace::Span;
using trace::SpanKind;

namespace {

std::string_view or_dash(std::string_view text) { return text.empty() ? std::string_view("-") : text; }

bool is_outbound(const ListenerFacts& listener) {
  return listener.plan.direction == model::TrafficDirection::kOutbound;
}

// The other statuses are what the client did, or wanted.
bool is_fault_of_upstream(uint32_t grpc_status) {
  switch (grpc_status) {
    case http::kGrpcUnknown:
    case http::kGrpcDeadlineExceeded:
    case http::kGrpcResourceExhausted:
    case http::kGrpcUnimplemented:
    case http::kGrpcInternal:
    case http::kGrpcUnavailable:
    case http::kGrpcDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

Tracing::Tracing(const model::HttpPlan& plan, const ProxyLocal& proxy, const ListenerFacts& listener,
                 stats::Block<TracingStat>& block)
    : http_(plan),
      plan_(*plan.tracing),
      block_(block),
      tracer_(static_cast<const TracerFactory&>(*plan_.tracer).on_worker(proxy)),
      outbound_(is_outbound(listener)) {}

// The request id carries the decision from hop to hop; a request without a good one is not traced.
void ExchangeTrace::decide() {
  http::RequestHeaders& request = *exchange_.request();
  if (!tracing_.http_.use_request_id_for_trace_sampling) {
    reason_ = TraceReason::kSampled;
    exchange_.facts().traced = true;
    return;
  }
  const std::string_view id = request.fields.get(Token::kXRequestId);
  const auto number = number_of_request_id(id);
  if (!number) return;
  const uint64_t stable = *number % 10000;
  const model::RouteTracing* own = of_route();
  const model::Sampling& sampling = own != nullptr && own->sampling ? *own->sampling : tracing_.plan_.sampling;
  reason_ = trace_reason(id);
  if (reason_ == TraceReason::kNone) {
    if (request.fields.has(Token::kXClientTraceId) && sampling.client.includes(exchange_.stable_random())) {
      reason_ = TraceReason::kClient;
    } else if (request.fields.has(Token::kXEnvoyForceTrace)) {
      reason_ = TraceReason::kForced;
    } else if (sampling.random.includes(stable)) {
      reason_ = TraceReason::kSampled;
    }
  }
  if (reason_ != TraceReason::kNone && !sampling.overall.includes(stable)) reason_ = TraceReason::kNone;
  if (tracing_.http_.pack_trace_reason) set_trace_reason(reason_, request);
  exchange_.facts().traced = reason_ != TraceReason::kNone;
}

// As late as possible: what a filter answers for a health check is not traced.
void ExchangeTrace::begin() {
  if (std::exchange(begun_, true)) return;
  const bool health_check = exchange_.facts().health_check;
  const Traced traced = reason_ == TraceReason::kNone || health_check ? Traced::kNo : Traced::kYes;
  if (health_check) {
    tracing_.block_.inc(TracingStat::kNotTraceable);
    exchange_.facts().traced = false;
  } else {
    switch (reason_) {
      case TraceReason::kNone:
        tracing_.block_.inc(TracingStat::kNotTraceable);
        break;
      case TraceReason::kSampled:
        tracing_.block_.inc(TracingStat::kRandomSampling);
        break;
      case TraceReason::kForced:
        tracing_.block_.inc(TracingStat::kServiceForced);
        break;
      case TraceReason::kClient:
        tracing_.block_.inc(TracingStat::kClientEnabled);
        break;
    }
  }
  const http::RequestHeaders* request = exchange_.request();
  if (request == nullptr) return;
  auto* span = exchange_.arena().create<Span>();
  span->kind = tracing_.outbound_ && !tracing_.plan_.spawn_upstream_span ? SpanKind::kClient : SpanKind::kServer;
  span->start = exchange_.facts().start_wall;
  if (!tracing_.tracer_->begin(*span, *request, traced)) return;
  span_ = span;
  exchange_.facts().trace_id = trace::trace_id_text(span_->context, exchange_.arena());
  if (tracing_.tracer_->shows_spans()) {
    exchange_.facts().span_id = trace::span_id_text(span_->context.span, exchange_.arena());
  }
  decorate();
}

const model::RouteTracing* ExchangeTrace::of_route() const {
  const model::Route* route = exchange_.route().route;
  return route == nullptr ? nullptr : route->tracing.get();
}

const format::Formatter* ExchangeTrace::own_name(NameOf which) const {
  const model::RouteTracing* own = of_route();
  if (own != nullptr && own->names.*which) return &*(own->names.*which);
  const std::optional<format::Formatter>& name = tracing_.plan_.names.*which;
  return name ? &*name : nullptr;
}

void ExchangeTrace::give_name(Span& span, NameOf which) const {
  const format::Formatter* name = own_name(which);
  if (name == nullptr) return;
  std::string text;
  name->append(text, exchange_.facts());
  if (!text.empty()) span.name = text;
}

// An outbound proxy tells the next one how the operation is called; that one takes it for its own span.
// Nothing of this is looked at where the span has a name of its own.
void ExchangeTrace::decorate() {
  if (own_name(&model::SpanNames::request) != nullptr) return;
  const model::RouteTracing* own = of_route();
  if (own != nullptr && !own->operation.empty()) {
    span_->name = own->operation;
    if (own->propagate) operation_ = own->operation;
  }
  http::HeaderMap& fields = exchange_.request()->fields;
  if (tracing_.outbound_) {
    if (!operation_.empty()) fields.set(Token::kXEnvoyDecoratorOperation, operation_);
    return;
  }
  if (const std::string_view given = fields.get(Token::kXEnvoyDecoratorOperation); given.data() != nullptr) {
    if (!given.empty()) {
      span_->name = given;
      operation_ = {};
    }
    fields.remove(Token::kXEnvoyDecoratorOperation);
  }
}

Span* ExchangeTrace::begin_try(http::RequestHeaders& request, bool own_span) {
  begin();
  if (span_ == nullptr) return nullptr;
  Span* child = nullptr;
  if (own_span || tracing_.plan_.spawn_upstream_span) {
    child = exchange_.arena().create<Span>();
    child->kind = tracing_.outbound_ || tracing_.plan_.spawn_upstream_span ? SpanKind::kClient : SpanKind::kServer;
    child->start = exchange_.local().loop.wall_now();
    child->name = cat("router ", exchange_.facts().cluster, " egress");
    tracing_.tracer_->begin_child(*child, *span_);
  }
  if (tracing_.plan_.propagate_context) tracing_.tracer_->inject(child != nullptr ? *child : *span_, request);
  return child;
}

void ExchangeTrace::end_try(Span& span, const upstream::Host& host, uint16_t status) {
  if (!span.sampled) return;
  const format::Facts& facts = exchange_.facts();
  span.duration = std::chrono::microseconds(exchange_.local().loop.wall_now().us - span.start.us);
  const std::string address = host.address().to_string();
  span.tag("peer.address", address);
  span.tag("upstream_address", address);
  span.tag("http.protocol", http::name_of(facts.has_upstream_protocol ? facts.upstream_protocol : facts.protocol));
  tag_answer(span, facts, status);
  give_name(span, &model::SpanNames::upstream);
  tracing_.tracer_->report(span);
}

void ExchangeTrace::on_response(http::ResponseHeaders& response) {
  if (span_ == nullptr || own_name(&model::SpanNames::request) != nullptr) return;
  if (!tracing_.outbound_) {
    if (!operation_.empty()) response.fields.set(Token::kXEnvoyDecoratorOperation, operation_);
    return;
  }
  const std::string_view given = response.fields.get(Token::kXEnvoyDecoratorOperation);
  if (given.data() == nullptr) return;
  if (!given.empty()) span_->name = given;
  response.fields.remove(Token::kXEnvoyDecoratorOperation);
}

void ExchangeTrace::end() {
  begin();
  const format::Facts& facts = exchange_.facts();
  if (facts.health_check) exchange_.facts().traced = false;
  if (span_ == nullptr || !span_->sampled) return;
  span_->duration = facts.end - facts.start;
  tag_request(facts);
  tag_answer(*span_, facts, facts.response_code);
  tag_custom(tracing_.plan_.tags, facts);
  if (const model::RouteTracing* own = of_route()) tag_custom(own->tags, facts);
  give_name(*span_, &model::SpanNames::request);
  tracing_.tracer_->report(*span_);
  span_ = nullptr;
}

void ExchangeTrace::tag_request(const format::Facts& facts) {
  Span& span = *span_;
  const http::RequestHeaders& request = *facts.request;
  const http::HeaderMap& fields = request.fields;
  span.tag("node_id", tracing_.http_.node_id);
  if (const std::string_view id = fields.get(Token::kXRequestId); !id.empty()) span.tag("guid:x-request-id", id);
  if (const std::string_view id = fields.get(Token::kXClientTraceId); id.data() != nullptr) {
    span.tag("guid:x-client-trace-id", id);
  }
  const std::string_view original = fields.get(Token::kXEnvoyOriginalPath);
  const std::string_view path = original.data() != nullptr ? original : request.path;
  if (!path.empty()) {  // CONNECT has none
    span.tag("http.url",
             cat(request.scheme, "://", request.authority, path.substr(0, tracing_.plan_.max_path_tag_length)));
  }
  span.tag("http.method", request.method);
  span.tag("http.protocol", http::name_of(request.protocol));
  span.tag("downstream_cluster", or_dash(fields.get(Token::kXEnvoyDownstreamServiceCluster)));
  span.tag("user_agent", or_dash(fields.get(Token::kUserAgent)));
  if (facts.direct_remote != nullptr) {
    span.tag("peer.address",
             facts.direct_remote->is_ip() ? facts.direct_remote->ip_to_string() : facts.direct_remote->to_string());
  }
  if (http::is_grpc(request.fields)) {
    span.tag("grpc.path", request.path);
    span.tag("grpc.authority", request.authority);
    span.tag("grpc.content_type", fields.get(Token::kContentType));
    if (const std::string_view timeout = fields.get(Token::kGrpcTimeout); timeout.data() != nullptr) {
      span.tag("grpc.timeout", timeout);
    }
  }
  span.tag("request_size", Piece(facts.bytes_received).text());
  span.tag("response_size", Piece(facts.bytes_sent).text());
}

void ExchangeTrace::tag_answer(Span& span, const format::Facts& facts, uint16_t status) const {
  span.tag("component", "proxy");
  if (!facts.cluster_raw.empty()) {
    span.tag("upstream_cluster", facts.cluster_raw);
    span.tag("upstream_cluster.name", facts.cluster);
  }
  span.tag("http.status_code", Piece(status).text());
  std::string flags;
  format::append_flags(flags, facts.flags, format::FlagNames::kShort);
  span.tag("response_flags", flags);
  bool failed = status == 0 || status >= 500;
  const http::HeaderMap* last = facts.response_trailers;
  if (last == nullptr || !last->has(Token::kGrpcStatus)) {
    last = facts.response != nullptr ? &facts.response->fields : nullptr;
  }
  if (last != nullptr && last->has(Token::kGrpcStatus)) {
    if (const std::string_view grpc = last->get(Token::kGrpcStatus); !grpc.empty()) span.tag("grpc.status_code", grpc);
    if (last->has(Token::kGrpcMessage)) span.tag("grpc.message", last->get(Token::kGrpcMessage));
    failed |= is_fault_of_upstream(http::grpc_status_in(*last).value_or(http::kGrpcOk));
  }
  if (failed) span.tag("error", "true");
}

void ExchangeTrace::tag_custom(const std::vector<model::CustomTag>& tags, const format::Facts& facts) {
  for (const model::CustomTag& tag : tags) {
    std::string value;
    model::append_value(value, tag, facts);
    if (value.empty()) continue;
    // The later of two with one name counts.
    std::erase_if(span_->tags, [&tag](const trace::Tag& before) { return before.name == tag.name; });
    span_->tag(tag.name, value);
  }
}

}  // namespace sluice::proxy
