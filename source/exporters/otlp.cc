#include "exporters/otlp.h"

#include <cstdint>

#include "base/strings.h"
#include "exporters/wire.h"

namespace sluice::exporters {

using wire::Nested;

namespace {

std::string big_endian(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(value);
  return out;
}

constexpr uint64_t kServer = 2;
constexpr uint64_t kClient = 3;
constexpr uint64_t kError = 2;

}  // namespace

void append_otlp_attribute(std::string& to, uint32_t field, std::string_view name, std::string_view value) {
  Nested pair(to, field);
  wire::append_text(to, 1, name);
  Nested any(to, 2);
  wire::append_text(to, 1, value);
}

void append_otlp_span(std::string& to, const trace::Span& span) {
  Nested out(to, 2);
  wire::append_bytes(to, 1, cat(big_endian(span.context.trace_high), big_endian(span.context.trace_low)));
  wire::append_bytes(to, 2, big_endian(span.context.span));
  if (span.context.parent) wire::append_bytes(to, 4, big_endian(*span.context.parent));
  wire::append_text(to, 5, span.name);
  wire::append_number(to, 6, span.kind == trace::SpanKind::kServer ? kServer : kClient);
  const auto start = static_cast<uint64_t>(span.start.us) * 1000;
  wire::append_fixed64(to, 7, start);
  wire::append_fixed64(to, 8, start + static_cast<uint64_t>(span.duration.count()));
  bool failed = false;
  for (const trace::Tag& tag : span.tags) {
    if (tag.name == "error") {
      failed = true;
    } else {
      append_otlp_attribute(to, 9, tag.name, tag.value);
    }
  }
  if (failed) {
    Nested status(to, 15);
    wire::append_number(to, 3, kError);
  }
}

std::string otlp_request(std::string_view resource, std::string_view members) {
  std::string out;
  {
    Nested all(out, 1);
    wire::append_bytes(out, 1, resource);
    wire::append_bytes(out, 2, members);
  }
  return out;
}

}  // namespace sluice::exporters
