#include "http/http1/fields.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/strings.h"
#include "http/chars.h"

namespace sluice::http::http1 {

namespace {

constexpr size_t kLongestName = UINT16_MAX;

// 16 bytes of ones, then 16 of zeros: a load at 16 - n has its first n bytes set.
constexpr std::array<uint8_t, 32> kFirstBytes = [] {
  std::array<uint8_t, 32> bytes{};
  std::fill_n(bytes.begin(), 16, uint8_t{0xff});
  return bytes;
}();

// Turns the letters before the first ':' of [line, end) to lower case in place and returns that ':', or null when
// there is none. Reads and writes (unchanged bytes) up to 15 bytes behind the colon.
char* lower_name(char* line, const char* end) {
  for (char* at = line; at < end; at += 16) {
    auto* const where = reinterpret_cast<__m128i*>(at);
    const __m128i block = _mm_loadu_si128(where);
    const auto colon =
        static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(':'))));
    const int bytes = colon != 0 ? __builtin_ctz(colon) : 16;
    const __m128i from_a = _mm_sub_epi8(block, _mm_set1_epi8('A'));
    const __m128i upper = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
    const __m128i mask =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirstBytes.data() + 16 - bytes));
    const __m128i bit = _mm_and_si128(_mm_and_si128(upper, mask), _mm_set1_epi8(0x20));
    _mm_storeu_si128(where, _mm_or_si128(block, bit));
    if (colon != 0) {
      return at + bytes < end ? at + bytes : nullptr;
    }
  }
  return nullptr;
}

bool is_lower_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c != 0 && kLowerTokenChars[static_cast<unsigned char>(c)] == static_cast<unsigned char>(c);
  });
}

bool has_underscore(std::string_view name) { return name.find('_') != std::string_view::npos; }

uint8_t count_up(uint8_t count) { return count == 255 ? count : static_cast<uint8_t>(count + 1); }

void read_connection(std::string_view value, FieldFacts& facts) {
  for_each_element(value, [&](std::string_view option) {
    if (equal_ignore_case(option, "close")) {
      facts.close = true;
    } else if (equal_ignore_case(option, "keep-alive")) {
      facts.keep_alive = true;
    } else if (equal_ignore_case(option, "upgrade")) {
      facts.upgrade = true;
    } else {
      facts.nominates = true;
    }
  });
}

// The fields that frame a message. True: the field stands in the map too.
bool read_framing(HeaderField& field, Section kind, FieldFacts& facts) {
  switch (field.token) {
    case Token::kHost:
      if (kind != Section::kRequestHead) {
        return true;
      }
      facts.hosts = count_up(facts.hosts);
      facts.host = field.value();
      facts.host_name = field.name();
      return false;
    case Token::kTransferEncoding:
      facts.codings = count_up(facts.codings);
      facts.chunked = equal_ignore_case(field.value(), "chunked");
      return false;
    case Token::kContentLength:
      facts.lengths = count_up(facts.lengths);
      facts.bad_length |= !parse_length(field.value(), facts.length);
      while (field.value_size > 1 && field.value_data[0] == '0') {  // forwarded as one means it
        ++field.value_data;
        --field.value_size;
        field.as_on_wire = false;
      }
      return true;
    case Token::kConnection:
      read_connection(field.value(), facts);
      return true;
    default: return true;
  }
}

constexpr uint64_t bit(Token token) { return uint64_t{1} << static_cast<int>(token); }
constexpr uint64_t kFraming =
    bit(Token::kHost) | bit(Token::kTransferEncoding) | bit(Token::kContentLength) | bit(Token::kConnection);
static_assert(static_cast<int>(Token::kTransferEncoding) < 64);
bool frames(Token token) {
  return static_cast<int>(token) < 64 && (kFraming >> static_cast<int>(token) & 1) != 0;
}

}  // namespace

bool parse_length(std::string_view text, uint64_t& out) {
  if (text.empty()) {
    return false;
  }
  uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (!is_digit(c) || value > (static_cast<uint64_t>(INT64_MAX) - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  out = value;
  return true;
}

size_t line_end(const SectionCopy& section, uint32_t line, size_t at) {
  if (line < section.ends->count) {
    return section.ends->at[line];
  }
  const void* cr = std::memchr(section.data + at, '\r', section.size - at);
  return static_cast<size_t>(static_cast<const char*>(cr) - section.data);
}

Fault check_field_line(std::string_view line, uint32_t index, const CodecOptions& options) {
  if (index >= options.max_fields) {
    return Fault::kTooManyFields;
  }
  const std::string_view name = line.substr(0, line.find(':'));
  if (name.size() == line.size() || name.size() > kLongestName || !is_token(name)) {
    return Fault::kMalformed;
  }
  return options.underscores == CodecOptions::Underscores::kReject && has_underscore(name) ? Fault::kUnderscore
                                                                                            : Fault::kNone;
}

Fault parse_fields(const SectionCopy& section, uint32_t first_line, size_t at, const CodecOptions& options,
                   HeaderMap& fields, FieldFacts& facts) {
  const bool all_underscores = options.underscores == CodecOptions::Underscores::kAllow;
  for (uint32_t line = first_line; section.data[at] != '\r'; ++line) {
    char* const start = section.data + at;
    const char* end = section.data + line_end(section, line, at);
    at = static_cast<size_t>(end - section.data) + 2;
    if (line - first_line >= options.max_fields) {
      return Fault::kTooManyFields;
    }
    const char* const colon = lower_name(start, end);
    if (colon == nullptr || colon == start || static_cast<size_t>(colon - start) > kLongestName) {
      return Fault::kMalformed;
    }
    const std::string_view name(start, static_cast<size_t>(colon - start));
    HeaderField field;
    field.token = token_of(name);
    if (field.token == Token::kNone && !is_lower_token(name)) {
      return Fault::kMalformed;
    }
    if (!all_underscores && has_underscore(name)) {
      if (options.underscores == CodecOptions::Underscores::kReject) {
        return Fault::kUnderscore;
      }
      ++facts.dropped;
      continue;
    }
    const char* value = colon + 1;
    field.as_on_wire = *value == ' ';
    value += field.as_on_wire ? 1 : 0;
    while (value < end && is_blank(*value)) {
      ++value;
      field.as_on_wire = false;
    }
    while (end > value && is_blank(end[-1])) {
      --end;
      field.as_on_wire = false;
    }
    field.name_data = start;
    field.name_size = static_cast<uint16_t>(name.size());
    field.value_data = value;
    field.value_size = static_cast<uint32_t>(end - value);
    if (!frames(field.token) || read_framing(field, section.kind, facts)) {
      fields.push_back(field);
    }
  }
  return Fault::kNone;
}

}  // namespace sluice::http::http1
