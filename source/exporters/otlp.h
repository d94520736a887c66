// OTLP: spans and log records as OpenTelemetry's collectors take them, in protobuf.
// https://opentelemetry.io/docs/specs/otlp/
#pragma once

#include <string>
#include <string_view>

#include "trace/span.h"

namespace sluice::exporters {

// A KeyValue with a text, as member `field` of a message.
void append_otlp_attribute(std::string& to, uint32_t field, std::string_view name, std::string_view value);
// An attribute of a Resource.
inline void append_otlp_resource(std::string& to, std::string_view name, std::string_view value) {
  append_otlp_attribute(to, 1, name, value);
}
// One opentelemetry.proto.trace.v1.Span, as a member of ScopeSpans.spans.
void append_otlp_span(std::string& to, const trace::Span& span);
// An ExportTraceServiceRequest or ExportLogsServiceRequest (they look the same) around a Resource, and spans or log
// records that stand as members of their scope.
std::string otlp_request(std::string_view resource, std::string_view members);

}  // namespace sluice::exporters
