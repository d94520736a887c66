// HTTP/1 messages as the clients and origins of a case read them: tolerant, and not with the proxy's own codec.
#pragma once

#include <string>
#include <string_view>

#include "test/player/spec.h"
#include "test/player/wire.h"

namespace sluice::player {

enum class Letters : uint8_t { kLower, kKept };  // of header names

struct Head {
  std::string first_line;
  Pairs headers;
};
// `raw` ends before the empty line.
Head split_head(std::string_view raw, Letters letters);
// The first value; empty when there is none.
std::string_view find_header(const Pairs& headers, std::string_view name);
bool has_header(const Pairs& headers, std::string_view name);
std::string header_lines(const Pairs& headers);

// What has come of a body.
struct Body {
  std::string raw;
  Pairs trailers;
  std::string framing = "none";
  std::string ended;  // "complete", or how the connection ended
};

// How long a body is.
struct Framing {
  enum class Kind : uint8_t { kNone, kChunked, kLength, kBadLength, kUntilEnd };
  Kind kind = Kind::kNone;
  size_t length = 0;
};
Framing request_framing(const Pairs& headers);
Framing response_framing(const Pairs& headers, std::string_view method, int status);

// Into `out`, which outlives the task.
Task<void> read_body(Wire& wire, Framing framing, Duration limit, Body& out);

}  // namespace sluice::player
