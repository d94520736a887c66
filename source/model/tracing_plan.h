// TracingPlan: which requests of a connection manager are traced, and what their spans say, compiled.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/observability/tracing
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/formatter.h"
#include "model/custom_tag.h"
#include "runtime/key.h"

namespace sluice::model {

// Who is traced: x-client-trace-id among `client`, others among `random`; of all those `overall`. Immutable. Thread:
// any.
struct Sampling {
  runtime::Fraction client, random, overall;
};

// What spans are called, as texts with command operators; none: as they always are. Immutable. Thread: any.
struct SpanNames {
  std::optional<format::Formatter> request, upstream;  // operation, upstream_operation
};

// What a route says. Immutable. Thread: any.
struct RouteTracing {
  std::string operation;  // of its decorator; empty: none
  SpanNames names;        // before the connection manager's
  bool propagate = true;
  std::optional<Sampling> sampling;  // instead of the connection manager's
  std::vector<CustomTag> tags;       // beside the connection manager's
};

// The compiled configuration of a tracing system: a proxy::TracerFactory. Immutable. Thread: any.
class TracerPlan {
 public:
  virtual ~TracerPlan() = default;
};

// Envoy's defaults. Immutable. Thread: any.
struct TracingPlan {
  std::shared_ptr<const TracerPlan> tracer;  // never null
  Sampling sampling;
  std::vector<CustomTag> tags;
  SpanNames names;
  uint32_t max_path_tag_length = 256;
  bool spawn_upstream_span = false;
  bool propagate_context = true;
};

}  // namespace sluice::model
