// Context: which trace a request belongs to, and how that stands in its headers: B3 and W3C.
// https://github.com/openzipkin/b3-propagation  https://www.w3.org/TR/trace-context/
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/header_map.h"

namespace sluice::trace {

// A plain value.
struct Context {
  uint64_t trace_high = 0;  // 0: the trace has 64 bits
  uint64_t trace_low = 0;
  uint64_t span = 0;
  std::optional<uint64_t> parent;
};

enum class Found : uint8_t { kNothing, kContext, kBroken };

// x-b3-traceid and its kin, or all in one `b3`.
Found read_b3(const http::HeaderMap& fields, Context& out);
// What B3 says of sampling; nothing: the receiver decides.
std::optional<bool> b3_sampled(const http::HeaderMap& fields);
// In place of what stood there, behind the other fields.
void write_b3(const Context& context, bool sampled, http::HeaderMap& fields);

// traceparent; the sampling of its sender in `sampled`.
Found read_traceparent(const http::HeaderMap& fields, Context& out, bool& sampled);
void write_traceparent(const Context& context, bool sampled, http::HeaderMap& fields);

// Lower case; a trace of 64 bits has 16 digits.
std::string_view trace_id_text(const Context& context, Arena& arena);
std::string_view span_id_text(uint64_t id, Arena& arena);

}  // namespace sluice::trace
