// OTLP: spans as OpenTelemetry's collectors take them, in protobuf. Written by hand, as the data path does all of it.
// https://opentelemetry.io/docs/specs/otlp/
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trace/span.h"

namespace sluice::exporters {

// One opentelemetry.proto.trace.v1.Span, as a member of ScopeSpans.spans.
void append_otlp_span(std::string& to, const trace::Span& span);
// An ExportTraceServiceRequest around spans that append_otlp_span() wrote.
std::string otlp_request(const std::vector<std::pair<std::string, std::string>>& resource, std::string_view spans);

}  // namespace sluice::exporters
