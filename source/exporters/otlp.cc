#include "exporters/otlp.h"

#include <cstdint>

#include "base/strings.h"

namespace sluice::exporters {

namespace {

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

void append_tag(std::string& to, uint32_t field, Wire wire) { append_varint(to, field << 3 | wire); }

void append_bytes(std::string& to, uint32_t field, std::string_view bytes) {
  append_tag(to, field, kBytes);
  append_varint(to, bytes.size());
  to.append(bytes);
}

void append_number(std::string& to, uint32_t field, uint64_t value) {
  append_tag(to, field, kVarint);
  append_varint(to, value);
}

void append_fixed(std::string& to, uint32_t field, uint64_t value) {
  append_tag(to, field, kFixed64);
  for (int i = 0; i < 8; ++i, value >>= 8) to.push_back(static_cast<char>(value));
}

std::string big_endian(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(value);
  return out;
}

// KeyValue with an AnyValue.string_value.
void append_attribute(std::string& to, uint32_t field, std::string_view name, std::string_view value) {
  std::string any;
  append_bytes(any, 1, value);
  std::string pair;
  append_bytes(pair, 1, name);
  append_bytes(pair, 2, any);
  append_bytes(to, field, pair);
}

constexpr uint64_t kServer = 2;
constexpr uint64_t kClient = 3;
constexpr uint64_t kError = 2;

}  // namespace

void append_otlp_span(std::string& to, const trace::Span& span) {
  std::string out;
  append_bytes(out, 1, cat(big_endian(span.context.trace_high), big_endian(span.context.trace_low)));
  append_bytes(out, 2, big_endian(span.context.span));
  if (span.context.parent) append_bytes(out, 4, big_endian(*span.context.parent));
  append_bytes(out, 5, span.name);
  append_number(out, 6, span.kind == trace::SpanKind::kServer ? kServer : kClient);
  const auto start = static_cast<uint64_t>(span.start.us) * 1000;
  append_fixed(out, 7, start);
  append_fixed(out, 8, start + static_cast<uint64_t>(span.duration.count()));
  bool failed = false;
  for (const trace::Tag& tag : span.tags) {
    if (tag.name == "error") {
      failed = true;
    } else {
      append_attribute(out, 9, tag.name, tag.value);
    }
  }
  if (failed) {
    std::string status;
    append_number(status, 3, kError);
    append_bytes(out, 15, status);
  }
  append_bytes(to, 2, out);
}

std::string otlp_request(const std::vector<std::pair<std::string, std::string>>& resource, std::string_view spans) {
  std::string attributes;
  for (const auto& [name, value] : resource) append_attribute(attributes, 1, name, value);
  std::string all;
  append_bytes(all, 1, attributes);
  append_bytes(all, 2, spans);
  std::string out;
  append_bytes(out, 1, all);
  return out;
}

}  // namespace sluice::exporters
