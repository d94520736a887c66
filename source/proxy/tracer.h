// Tracer: one tracing system on one worker: how a trace goes on from request to request, and where spans go.
#pragma once

#include <memory>

#include "http/message.h"
#include "model/tracing_plan.h"
#include "proxy/chain_server.h"
#include "trace/span.h"

namespace sluice::proxy {

enum class Traced : bool { kNo, kYes };

// Owned by the connection manager of its worker. Thread: worker.
class Tracer {
 public:
  virtual ~Tracer() = default;
  // Name, context and sampling of the span of a request: what its headers say, else a new trace by `decision`. False:
  // they cannot be read; they pass as they are, and nothing is traced. `span.kind` is set.
  virtual bool begin(trace::Span& span, const http::RequestHeaders& request, Traced decision) = 0;
  // The same for the span of a try. Its kind is kServer when the router alone asked for it (start_child_span) and the
  // connection manager's own span is of that kind.
  virtual void begin_child(trace::Span& child, const trace::Span& parent) = 0;
  // So that the next hop goes on from this span.
  virtual void inject(const trace::Span& span, http::RequestHeaders& request) = 0;
  // Whether logs show the id of a span: with Zipkin they never did.
  virtual bool shows_spans() const { return true; }
  // It is over, and sampled.
  virtual void report(trace::Span& span) = 0;
};

// Immutable, shared by all workers. Thread: any.
class TracerFactory : public model::TracerPlan {
 public:
  virtual std::unique_ptr<Tracer> on_worker(const ProxyLocal& proxy) const = 0;
};

}  // namespace sluice::proxy
