// Classes of characters in HTTP messages (RFC 9110 5.5, 5.6.2), as tables, and the texts made of them.
#pragma once

#include <array>
#include <string_view>

namespace sluice::http {

// A token character (RFC 9110 5.6.2) in lower case; 0 for any other byte.
inline constexpr std::array<unsigned char, 256> kLowerTokenChars = [] {
  std::array<unsigned char, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = static_cast<unsigned char>(c);
  }
  for (unsigned char c = 'A'; c <= 'Z'; ++c) {
    table[c] = static_cast<unsigned char>(c | 0x20);
  }
  return table;
}();

constexpr bool is_token_char(char c) { return kLowerTokenChars[static_cast<unsigned char>(c)] != 0; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }  // OWS and BWS
// What may stand in a field value or a reason phrase: no control character but HTAB.
constexpr bool is_field_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 0x20 && u != 0x7f) || u == '\t';
}
// What may stand in a request target: visible ASCII. (Not all of it is allowed by RFC 3986, but "|", "^" and the
// like are common, and no delimiter of HTTP is among them.)
constexpr bool is_target_char(char c) { return c > 0x20 && c < 0x7f; }
// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// At least one character, all of them token characters.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);
// Whether a '#' may stand in it, which exchanges look for and which is never sent.
enum class Hash : bool { kRefused, kAllowed };
bool is_request_target(std::string_view text, Hash hash = Hash::kAllowed);
// Without the blanks and tabs at both ends.
std::string_view trim_blanks(std::string_view text);

// Calls `visit` for each element of a comma-separated list (RFC 9110 5.6.1) without the blanks around it; empty
// elements are skipped.
template <typename Visit>
void for_each_element(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view element = trim_blanks(list.substr(0, comma));
    if (!element.empty()) {
      visit(element);
    }
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

}  // namespace sluice::http
