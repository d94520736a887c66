// Field lines (RFC 9112 5): checked where they stand, or made into a HeaderMap in one pass over the arena's copy of a
// head, with what the framing rules need to know.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/arena.h"
#include "http/codec.h"
#include "http/header_map.h"
#include "http/http1/fault.h"
#include "http/http1/section_reader.h"

namespace sluice::http::http1 {

// What the fields say about the message and its connection.
struct FieldFacts {
  uint64_t length = 0;  // Content-Length
  uint8_t lengths = 0;  // how many such lines (more than 255 count as 255)
  uint8_t codings = 0;  // how many Transfer-Encoding lines
  uint8_t hosts = 0;
  bool bad_length = false;  // not 1*DIGIT, or 2^63 and above
  bool chunked = false;     // the last Transfer-Encoding line says exactly "chunked"
  bool close = false;       // options of Connection
  bool keep_alive = false;
  bool upgrade = false;
  bool nominates = false;  // Connection names other fields
  uint16_t dropped = 0;    // fields with underscores
  uint64_t bytes = 0;      // as ByteMeter counts what comes in
  std::string_view host;   // as it came, not in the copy
  std::string_view host_name;
};

// One line without its CRLF; `index` counts field lines from 0. Finds the faults that parse_fields() finds in it.
Fault check_field_line(std::string_view line, uint32_t index, const CodecOptions& options);

// A head or trailer section as it came, and its copy in an arena, which is what is kept: names are made lower case
// there. All is read from the bytes that came: reading what was written a moment before would wait for it.
struct SectionCopy {
  static constexpr size_t kSlack = 16;  // bytes behind the copy that may be read and written too
  // Makes the copy.
  SectionCopy(const LineEnds& line_ends, Section section, Arena& arena)
      : wire(line_ends.bytes.data()),
        data(static_cast<char*>(arena.allocate(line_ends.bytes.size() + kSlack, 1))),
        size(line_ends.bytes.size()),
        ends(&line_ends),
        kind(section) {
    std::memcpy(data, wire, size);
  }
  // The same text in the copy; texts that live elsewhere stay where they are.
  std::string_view kept(std::string_view text) const {
    return text.data() >= wire && text.data() < wire + size ? std::string_view(data + (text.data() - wire), text.size())
                                                            : text;
  }

  const char* wire;
  char* data;
  size_t size;
  const LineEnds* ends;
  Section kind;
};
// Adds the fields of all lines from `first_line` (which begins at offset `at`) on to `fields`, names in lower case
// and in the copy. Transfer-Encoding, and the Host of a request (as it came), go to `facts` only.
Fault parse_fields(const SectionCopy& section, uint32_t first_line, size_t at, const CodecOptions& options,
                   HeaderMap& fields, FieldFacts& facts);

// The end of the line that begins at `at`: from the table, or searched for.
size_t line_end(const SectionCopy& section, uint32_t line, size_t at);

// Digits alone, below 2^63 (RFC 9110 8.6).
bool parse_length(std::string_view text, uint64_t& out);

}  // namespace sluice::http::http1
