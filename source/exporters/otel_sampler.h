// OtelSampler: which of the traces that tracing picks are sampled, as OpenTelemetry's samplers say it.
// https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "trace/context.h"

namespace sluice::exporters {

// Immutable. Thread: any.
struct OtelSampler {
  enum class Kind : uint8_t {
    kAlwaysOn,
    kRatio,   // by the trace's id alone, so that all who ask the same share agree
    kParent,  // as the parent says; where there is none, as `root` does
  };
  Kind kind = Kind::kAlwaysOn;
  uint64_t numerator = 0, denominator = 100;
  std::shared_ptr<const OtelSampler> root;

  // `parent`: what the parent's flag says, if there is a parent.
  bool takes(const trace::Context& context, std::optional<bool> parent) const;
};

}  // namespace sluice::exporters
