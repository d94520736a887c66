#include "http/http1/fields.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/strings.h"
#include "http/chars.h"
#include "http/token_set.h"

namespace sluice::http::http1 {

namespace {

constexpr size_t kLongestName = UINT16_MAX;
// Fields that a proxy adds.
constexpr uint32_t kRoomForMore = 16;

// 16 bytes of ones, then 16 of zeros: a load at 16 - n has its first n bytes set.
constexpr std::array<uint8_t, 32> kFirstBytes = [] {
  std::array<uint8_t, 32> bytes{};
  std::fill_n(bytes.begin(), 16, uint8_t{0xff});
  return bytes;
}();

// A field name on its way into the map.
struct Name {
  const char* colon = nullptr;  // behind it; null when the line has none
  Token token = Token::kNone;
  bool valid = false;  // one or more token characters
};

// Whether the bytes of `text` that `mask` has are lower-case letters, digits and '-': what most names are made of.
bool is_plain(__m128i text, __m128i mask) {
  const auto within = [text](char first, char last) {
    const __m128i from = _mm_sub_epi8(text, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(static_cast<char>(last - first))), from);
  };
  const __m128i plain = _mm_or_si128(_mm_or_si128(within('a', 'z'), within('0', '9')), within('-', '-'));
  return _mm_movemask_epi8(_mm_andnot_si128(plain, mask)) == 0;
}

// Turns the letters before the first ':' of [line, end) to lower case in `copy`, which begins with the same bytes.
// Blocks are read up to 15 bytes behind the colon, but never at or behind `wire_end`; then the copy is read, and its
// slack.
Name lower_name(const char* line, const char* end, const char* wire_end, char* copy) {
  Name name;
  for (const char* at = line; at < end; at += 16) {
    char* const to = copy + (at - line);
    const char* const from = wire_end - at >= 16 ? at : to;
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const auto colon = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(':'))));
    const int bytes = colon != 0 ? __builtin_ctz(colon) : 16;
    const __m128i from_a = _mm_sub_epi8(block, _mm_set1_epi8('A'));
    const __m128i upper = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
    const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirstBytes.data() + 16 - bytes));
    const __m128i bit = _mm_and_si128(_mm_and_si128(upper, mask), _mm_set1_epi8(0x20));
    const __m128i lower = _mm_or_si128(block, bit);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), lower);
    if (colon == 0) {
      continue;
    }
    if (at + bytes >= end) {
      return name;
    }
    name.colon = at + bytes;
    if (at == line) {  // the whole name is in the register: it need not be read again
      const __m128i text = _mm_and_si128(lower, mask);
      name.token = token_of_words(static_cast<uint64_t>(_mm_cvtsi128_si64(text)),
                                  static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(text, text))));
    } else {
      name.token = token_of({copy, static_cast<size_t>(name.colon - line)});
    }
    name.valid = name.token != Token::kNone || (at == line && bytes > 0 && is_plain(lower, mask)) ||
                 is_token({line, static_cast<size_t>(name.colon - line)});
    return name;
  }
  return name;
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

// The fields that frame a message; may shorten the value. True: the field stands in the map too.
bool read_framing(Token token, std::string_view name, std::string_view& value, Section kind, FieldFacts& facts) {
  switch (token) {
    case Token::kHost:
      if (kind != Section::kRequestHead) {
        return true;
      }
      facts.hosts = count_up(facts.hosts);
      facts.host = value;
      facts.host_name = name;
      return false;
    case Token::kTransferEncoding:
      facts.codings = count_up(facts.codings);
      facts.chunked = equal_ignore_case(value, "chunked");
      return false;
    case Token::kContentLength:
      facts.lengths = count_up(facts.lengths);
      facts.bad_length |= !parse_length(value, facts.length);
      while (value.size() > 1 && value[0] == '0') {  // forwarded as one means it
        value.remove_prefix(1);
      }
      return true;
    case Token::kConnection:
      read_connection(value, facts);
      return true;
    default:
      return true;
  }
}

// The value that stands between the ':' and the end of its line, without the blanks around it.
std::string_view trimmed(const char* value, const char* end) {
  while (value < end && is_blank(*value)) ++value;
  while (end > value && is_blank(end[-1])) --end;
  return {value, static_cast<size_t>(end - value)};
}

// In a line that was scanned: a blank, or (behind the last byte) the end of the line.
bool is_blank_or_end(char c) { return static_cast<unsigned char>(c) <= ' '; }

constexpr TokenSet kFraming = {Token::kHost, Token::kTransferEncoding, Token::kContentLength, Token::kConnection};

}  // namespace

bool parse_length(std::string_view text, uint64_t& out) {
  constexpr size_t kSafeDigits = 18;  // 10^18 is below 2^63
  uint64_t value = 0;
  const char* at = text.data();
  for (const char* const safe = at + std::min(text.size(), kSafeDigits); at != safe; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) {
      return false;
    }
    value = value * 10 + digit;
  }
  for (const char* const end = text.data() + text.size(); at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9 || value > (static_cast<uint64_t>(INT64_MAX) - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  out = value;
  return !text.empty();
}

size_t line_end(const SectionCopy& section, uint32_t line, size_t at) {
  if (line < section.ends->count) {
    return section.ends->at[line];
  }
  const void* cr = std::memchr(section.wire + at, '\r', section.size - at);
  return static_cast<size_t>(static_cast<const char*>(cr) - section.wire);
}

namespace {

struct Ends {
  const uint32_t* at;
  uint32_t count;
};

// Where the lines of a section end, the empty one not among them: from the table, or searched for. Each CR of a whole
// section is the end of a line.
Ends ends_of(const SectionCopy& section, Arena& arena) {
  if (section.ends->count > 0) [[likely]] {
    return {section.ends->at, section.ends->count};
  }
  const char* const last = section.wire + section.size - 2;
  const auto count = static_cast<uint32_t>(std::count(section.wire, last, '\r'));
  auto* const ends = static_cast<uint32_t*>(arena.allocate(count * sizeof(uint32_t), alignof(uint32_t)));
  uint32_t* end = ends;
  for (const char* at = std::find(section.wire, last, '\r'); at != last; at = std::find(at + 1, last, '\r')) {
    *end++ = static_cast<uint32_t>(at - section.wire);
  }
  return {ends, count};
}

}  // namespace

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
  const ptrdiff_t to_copy = section.data - section.wire;
  const char* const wire_end = section.wire + section.size;
  const Ends ends = ends_of(section, fields.arena());
  const uint32_t stop = std::min(ends.count, first_line + options.max_fields);
  fields.reserve(fields.size() + (stop - first_line) + kRoomForMore);
  const char* start = section.wire + at;
  ptrdiff_t odd_blanks = 0;  // more than one for each field
  for (const uint32_t *end = ends.at + first_line, *last = ends.at + stop; end != last; ++end) {
    const char* const line_last = section.wire + *end;
    const char* const name_data = start;
    start = line_last + 2;
    const Name name = lower_name(name_data, line_last, wire_end, section.data + (name_data - section.wire));
    const auto name_size = static_cast<size_t>(name.colon - name_data);
    if (!name.valid || name_size > kLongestName) {
      return Fault::kMalformed;
    }
    if (!all_underscores && has_underscore({name_data, name_size})) {
      if (options.underscores == CodecOptions::Underscores::kReject) {
        return Fault::kUnderscore;
      }
      ++facts.dropped;
      continue;
    }
    // As we would write it: one blank, then nothing but the value.
    bool as_on_wire = name.colon[1] == ' ' && !is_blank_or_end(name.colon[2]) && !is_blank_or_end(line_last[-1]);
    std::string_view value(name.colon + 2, static_cast<size_t>(line_last - (name.colon + 2)));
    if (!as_on_wire) [[unlikely]] {
      value = trimmed(name.colon + 1, line_last);
      odd_blanks += (line_last - name.colon - 1) - static_cast<ptrdiff_t>(value.size()) - 1;
      as_on_wire = name.colon[1] == ' ' && value.data() == name.colon + 2 && value.end() == line_last;
    }
    if (kFraming.has(name.token)) {
      const char* const all = value.data();
      if (!read_framing(name.token, {name_data, name_size}, value, section.kind, facts)) {
        continue;
      }
      as_on_wire &= value.data() == all;
    }
    HeaderField& field = fields.append(name.token);
    field.name_data = name_data + to_copy;
    field.name_size = static_cast<uint16_t>(name_size);
    field.value_data = value.data() + to_copy;
    field.value_size = static_cast<uint32_t>(value.size());
    field.as_on_wire = as_on_wire;
  }
  facts.bytes = section.size - 2 - at - (stop - first_line) - static_cast<uint64_t>(odd_blanks);
  return stop == ends.count ? Fault::kNone : Fault::kTooManyFields;
}

}  // namespace sluice::http::http1
