#include "exporters/otel_sampler.h"

namespace sluice::exporters {

bool OtelSampler::takes(const trace::Context& context, std::optional<bool> parent) const {
  switch (kind) {
    case Kind::kAlwaysOn:
      return true;
    case Kind::kRatio:
      // The first eight bytes of the id, as a little-endian number: so Envoy counts, and all hops of a trace must.
      return __builtin_bswap64(context.trace_high) % denominator < numerator;
    case Kind::kParent:
      return parent ? *parent : root->takes(context, parent);
  }
  return false;
}

}  // namespace sluice::exporters
