#include "trace/context.h"

#include "http/chars.h"

namespace sluice::trace {

namespace {

using http::Token;

constexpr std::string_view kTraceId = "x-b3-traceid";
constexpr std::string_view kSpanId = "x-b3-spanid";
constexpr std::string_view kParentId = "x-b3-parentspanid";
constexpr std::string_view kSampled = "x-b3-sampled";
constexpr std::string_view kSingle = "b3";

// Up to 16 digits of either case.
bool read_hex(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > 16) return false;
  out = 0;
  for (const char c : text) {
    const int digit = http::hex_value(c);
    if (digit < 0) return false;
    out = out << 4 | static_cast<uint64_t>(digit);
  }
  return true;
}

bool read_trace_id(std::string_view text, Context& out) {
  if (text.size() == 16) return read_hex(text, out.trace_low);
  return text.size() == 32 && read_hex(text.substr(0, 16), out.trace_high) && read_hex(text.substr(16), out.trace_low);
}

void put_hex(uint64_t value, char* to) {
  for (int i = 15; i >= 0; --i, value >>= 4) to[i] = "0123456789abcdef"[value & 15];
}

void put(http::HeaderMap& fields, std::string_view name, std::string_view value) {
  fields.remove(name);
  fields.add(name, value);
}

// TRACE-SPAN, TRACE-SPAN-S or TRACE-SPAN-S-PARENT; S alone is no context.
Found read_single(std::string_view text, Context& out) {
  if (text.size() == 1) return Found::kNothing;
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos || !read_trace_id(text.substr(0, dash), out)) return Found::kBroken;
  text.remove_prefix(dash + 1);
  if (text.size() < 16 || !read_hex(text.substr(0, 16), out.span)) return Found::kBroken;
  text.remove_prefix(16);
  if (text.empty()) return Found::kContext;
  if (text.size() == 1 || text[0] != '-') return Found::kBroken;
  const char sampled = text[1];
  if (sampled != '0' && sampled != '1' && sampled != 'd') return Found::kBroken;
  text.remove_prefix(2);
  if (text.empty()) return Found::kContext;
  uint64_t parent = 0;
  if (text.size() != 17 || text[0] != '-' || !read_hex(text.substr(1), parent)) return Found::kBroken;
  out.parent = parent;
  return Found::kContext;
}

}  // namespace

Found read_b3(const http::HeaderMap& fields, Context& out) {
  if (const std::string_view single = fields.get(kSingle); single.data() != nullptr) return read_single(single, out);
  const std::string_view trace = fields.get(kTraceId);
  const std::string_view span = fields.get(kSpanId);
  if (trace.data() == nullptr || span.data() == nullptr) return Found::kNothing;
  if (!read_trace_id(trace, out) || !read_hex(span, out.span)) return Found::kBroken;
  if (const std::string_view parent = fields.get(kParentId); !parent.empty()) {
    uint64_t id = 0;
    if (!read_hex(parent, id)) return Found::kBroken;
    out.parent = id;
  }
  return Found::kContext;
}

std::optional<bool> b3_sampled(const http::HeaderMap& fields) {
  if (const std::string_view single = fields.get(kSingle); single.data() != nullptr) {
    size_t at = 0;
    switch (single.size()) {
      case 1:
        break;
      case 35:
      case 52:
        at = 34;
        break;
      case 51:
      case 68:
        at = 50;
        break;
      default:
        return std::nullopt;
    }
    if (single[at] == '1' || single[at] == 'd') return true;
    if (single[at] == '0') return false;
    return std::nullopt;
  }
  const std::string_view sampled = fields.get(kSampled);
  if (sampled.data() == nullptr) return std::nullopt;
  return sampled == "1" || sampled == "true";
}

void write_b3(const Context& context, bool sampled, http::HeaderMap& fields) {
  Arena& arena = fields.arena();
  put(fields, kTraceId, trace_id_text(context, arena));
  put(fields, kSpanId, span_id_text(context.span, arena));
  if (context.parent) put(fields, kParentId, span_id_text(*context.parent, arena));
  put(fields, kSampled, sampled ? "1" : "0");
}

Found read_traceparent(const http::HeaderMap& fields, Context& out, bool& sampled) {
  const std::string_view text = fields.get(Token::kTraceparent);
  if (text.data() == nullptr) return Found::kNothing;
  // version-trace-parent-flags: 2, 32, 16 and 2 digits.
  if (text.size() != 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return Found::kBroken;
  uint64_t version = 0;
  uint64_t flags = 0;
  Context found;
  if (!read_hex(text.substr(0, 2), version) || !read_trace_id(text.substr(3, 32), found) ||
      !read_hex(text.substr(36, 16), found.span) || !read_hex(text.substr(53, 2), flags)) {
    return Found::kBroken;
  }
  if (version == 0xff || (found.trace_high == 0 && found.trace_low == 0) || found.span == 0) return Found::kBroken;
  out = found;
  sampled = (flags & 1) != 0;
  return Found::kContext;
}

void write_traceparent(const Context& context, bool sampled, http::HeaderMap& fields) {
  constexpr size_t kSize = 55;
  char* text = static_cast<char*>(fields.arena().allocate(kSize, 1));
  text[0] = text[1] = '0';
  text[2] = text[35] = text[52] = '-';
  put_hex(context.trace_high, text + 3);
  put_hex(context.trace_low, text + 19);
  put_hex(context.span, text + 36);
  text[53] = '0';
  text[54] = sampled ? '1' : '0';
  put(fields, http::name_of(Token::kTraceparent), {text, kSize});
}

std::string_view trace_id_text(const Context& context, Arena& arena) {
  if (context.trace_high == 0) return span_id_text(context.trace_low, arena);
  char* text = static_cast<char*>(arena.allocate(32, 1));
  put_hex(context.trace_high, text);
  put_hex(context.trace_low, text + 16);
  return {text, 32};
}

std::string_view span_id_text(uint64_t id, Arena& arena) {
  char* text = static_cast<char*>(arena.allocate(16, 1));
  put_hex(id, text);
  return {text, 16};
}

}  // namespace sluice::trace
