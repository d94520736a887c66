#include "format/json_text.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace sluice::format {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// The letter behind the backslash of a short escape, 0 when there is none.
char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

}  // namespace

void escape_json(std::string& to, size_t start) {
  bool ascii = true;
  bool plain = true;
  for (size_t i = start; i < to.size(); ++i) {
    const auto c = static_cast<unsigned char>(to[i]);
    ascii = ascii && c < 0x80;
    plain = plain && is_plain(c);
  }
  if (plain) {
    return;
  }
  const bool utf8 = ascii || is_utf8(std::string_view(to).substr(start));
  const auto width = [&](char c) -> size_t {
    return is_plain(static_cast<unsigned char>(c)) || (utf8 && (c & 0x80) != 0) ? 1 : short_escape(c) != 0 ? 2 : 6;
  };
  size_t grown = 0;
  for (size_t i = start; i < to.size(); ++i) {
    grown += width(to[i]) - 1;
  }
  // From the end, so that nothing is overwritten before it was read.
  size_t from = to.size();
  to.resize(to.size() + grown);
  size_t at = to.size();
  while (from > start) {
    const char c = to[--from];
    switch (width(c)) {
      case 1:
        to[--at] = c;
        break;
      case 2:
        to[--at] = short_escape(c);
        to[--at] = '\\';
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        to[--at] = kHex[byte & 15];
        to[--at] = kHex[byte >> 4];
        at -= 4;
        to.replace(at, 4, "\\u00");
      }
    }
  }
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  const size_t start = to.size();
  to += text;
  escape_json(to, start);
  to += '"';
}

void append_json_number(std::string& to, double number) {
  if (!std::isfinite(number)) {
    to += "null";
    return;
  }
  char digits[40];
  const bool whole = number == std::trunc(number) && std::fabs(number) < 1e15;
  const auto end = whole ? std::to_chars(digits, digits + sizeof(digits), static_cast<int64_t>(number)).ptr
                         : std::to_chars(digits, digits + sizeof(digits), number).ptr;
  to.append(digits, end);
}

void append_json(std::string& to, const Value& value) {
  if (const bool* truth = value.as_boolean()) {
    to += *truth ? "true" : "false";
  } else if (const double* number = value.as_number()) {
    append_json_number(to, *number);
  } else if (const std::string* text = value.as_text()) {
    append_json_string(to, *text);
  } else if (const Value::List* list = value.as_list()) {
    char before = '[';
    for (const Value& item : *list) {
      to += std::exchange(before, ',');
      append_json(to, item);
    }
    to += list->empty() ? "[]" : "]";
  } else if (const Value::Map* map = value.as_map()) {
    char before = '{';
    for (const Value::Member& member : *map) {
      to += std::exchange(before, ',');
      append_json_string(to, member.key);
      to += ':';
      append_json(to, member.value);
    }
    to += map->empty() ? "{}" : "}";
  } else {
    to += "null";
  }
}

}  // namespace sluice::format
