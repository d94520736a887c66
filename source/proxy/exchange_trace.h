// ExchangeTrace: the part of an exchange in a trace: whether it is traced, its span, and those of its tries.
//
//   decide() --first try or the end of the exchange--> span begun --end()--> told to the tracer
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "model/tracing_plan.h"
#include "proxy/request_id.h"
#include "proxy/tracer.h"
#include "stats/names_http.h"

namespace sluice::upstream {
struct Host;
}

namespace sluice::proxy {

class Exchange;

// Of a connection manager with tracing, on one worker. Thread: worker.
class Tracing {
 public:
  // `block` is its server's.
  Tracing(const model::HttpPlan& plan, const ProxyLocal& proxy, const ListenerFacts& listener,
          stats::Block<stats::TracingStat>& block);
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

 private:
  friend class ExchangeTrace;

  const model::HttpPlan& http_;
  const model::TracingPlan& plan_;
  stats::Block<stats::TracingStat>& block_;
  std::unique_ptr<Tracer> tracer_;
  const bool outbound_;  // the listener's traffic_direction: the service that we stand beside asks others
};

// In the arena of its exchange. Thread: worker.
class ExchangeTrace {
 public:
  ExchangeTrace(Tracing& tracing, Exchange& exchange) : tracing_(tracing), exchange_(exchange) {}

  // The route is found: whether this request is to be traced, which its id tells to the next hops.
  void decide();
  // A try begins: the request gets its trace headers. Returns the span of the try; null: it has none of its own, for
  // neither the router's start_child_span (`own_span`) nor spawn_upstream_span asks for one.
  trace::Span* begin_try(http::RequestHeaders& request, bool own_span);
  // `status` 0: there was no answer.
  void end_try(trace::Span& span, const upstream::Host& host, uint16_t status);
  // A response goes to the client.
  void on_response(http::ResponseHeaders& response);
  void end();

 private:
  using NameOf = std::optional<format::Formatter> model::SpanNames::*;

  void begin();
  void decorate();
  // Null: the route says nothing.
  const model::RouteTracing* of_route() const;
  // The name that the route, or else the connection manager has for such a span; null: none.
  const format::Formatter* own_name(NameOf which) const;
  void give_name(trace::Span& span, NameOf which) const;
  void tag_request(const format::Facts& facts);
  void tag_answer(trace::Span& span, const format::Facts& facts, uint16_t status) const;
  void tag_custom(const std::vector<model::CustomTag>& tags, const format::Facts& facts);

  Tracing& tracing_;
  Exchange& exchange_;
  TraceReason reason_ = TraceReason::kNone;
  trace::Span* span_ = nullptr;  // null: not begun, or nothing is traced
  std::string_view operation_;   // of the route's decorator, while it is to be told; empty: none
  bool begun_ = false;
};

}  // namespace sluice::proxy
