#include "test/player/http1_message.h"

#include <algorithm>
#include <cstdlib>

#include "base/strings.h"

namespace sluice::player {

namespace {

bool has_line(const Wire& wire) { return wire.buf.find("\r\n") != std::string::npos; }

// One deadline for several waits.
struct Deadline {
  test::SimWorld* world;
  MonotonicTime at;
  Duration left() const { return std::max(Duration(0), at - world->now()); }
};

// Whether it came to its end.
Task<bool> read_chunks(Wire& wire, Deadline deadline, Body& out) {
  while (true) {
    const bool line_came = co_await wire.until([&wire] { return has_line(wire); }, deadline.left());
    if (!line_came) {
      co_return false;
    }
    const std::string line = wire.take(wire.buf.find("\r\n") + 2);
    char* end = nullptr;
    const size_t size = std::strtoull(line.c_str(), &end, 16);
    if (end == line.c_str() || std::string_view(" \t\r;").find(*end) == std::string_view::npos) {
      out.ended = "bad_chunk";
      co_return false;
    }
    if (size == 0) {
      break;
    }
    const bool came = co_await wire.until([&wire, size] { return wire.buf.size() >= size + 2; }, deadline.left());
    out.raw += wire.take(size);
    if (!came) {
      co_return false;
    }
    (void)wire.take(2);
  }
  while (true) {
    const bool line_came = co_await wire.until([&wire] { return has_line(wire); }, deadline.left());
    if (!line_came) {
      co_return false;
    }
    const std::string line = wire.take(wire.buf.find("\r\n") + 2);
    if (line == "\r\n") {
      co_return true;
    }
    const std::string_view field = std::string_view(line).substr(0, line.size() - 2);
    const size_t colon = std::min(field.find(':'), field.size());
    out.trailers.emplace_back(to_lower(field.substr(0, colon)), trim(field.substr(std::min(colon + 1, field.size()))));
  }
}

}  // namespace

Head split_head(std::string_view raw, Letters letters) {
  Head out;
  const std::vector<std::string_view> lines = split(raw, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (i == 0) {
      out.first_line = line;
      continue;
    }
    const size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    out.headers.emplace_back(letters == Letters::kKept ? std::string(name) : to_lower(name),
                             trim(line.substr(std::min(colon + 1, line.size()))));
  }
  return out;
}

std::string_view find_header(const Pairs& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (equal_ignore_case(key, name)) {
      return value;
    }
  }
  return {};
}

bool has_header(const Pairs& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& h) { return equal_ignore_case(h.first, name); });
}

std::string header_lines(const Pairs& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    append(out, name, ": ", value, "\r\n");
  }
  return out;
}

Framing request_framing(const Pairs& headers) {
  if (to_lower(find_header(headers, "transfer-encoding")).find("chunked") != std::string::npos) {
    return {Framing::Kind::kChunked};
  }
  if (!has_header(headers, "content-length")) {
    return {};
  }
  const auto length = parse_number<size_t>(trim(find_header(headers, "content-length")));
  return length ? Framing{Framing::Kind::kLength, *length} : Framing{Framing::Kind::kBadLength};
}

Framing response_framing(const Pairs& headers, std::string_view method, int status) {
  if (method == "HEAD" || status == 204 || status == 304 || (status >= 100 && status < 200)) {
    return {};
  }
  const Framing framing = request_framing(headers);
  return framing.kind == Framing::Kind::kNone ? Framing{Framing::Kind::kUntilEnd} : framing;
}

Task<void> read_body(Wire& wire, Framing framing, Duration limit, Body& out) {
  bool whole = true;
  switch (framing.kind) {
    case Framing::Kind::kNone:
      break;
    case Framing::Kind::kChunked:
      out.framing = "chunked";
      whole = co_await read_chunks(wire, Deadline{&wire.stage().world(), wire.stage().world().now() + limit}, out);
      break;
    case Framing::Kind::kLength: {
      out.framing = "length";
      const size_t length = framing.length;
      whole = co_await wire.until([&wire, length] { return wire.buf.size() >= length; }, limit);
      out.raw = wire.take(length);
      break;
    }
    case Framing::Kind::kBadLength:
      out.framing = "length";
      out.ended = "bad_length";
      break;
    case Framing::Kind::kUntilEnd:
      out.framing = "close";
      (void)co_await wire.until_end(limit);
      out.raw = wire.take_all();
      whole = wire.ended == "closed";
      break;
  }
  if (out.ended.empty()) {
    out.ended = whole ? "complete" : wire.why();
  }
}

}  // namespace sluice::player
