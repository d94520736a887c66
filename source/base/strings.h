// Small text tools for the cold path: joining, numbers, case, splitting. (Debian's abseil is built with a string_view
// of its own, which does not take std::string_view: hence cat() here.)
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sluice {

// One argument of cat(): text, a character, or a number, turned into text in place. Thread: any.
class Piece {
 public:
  Piece(const char* text) : text_(text) {}
  Piece(const std::string& text) : text_(text) {}
  Piece(std::string_view text) : text_(text) {}
  Piece(char c) : text_(space_, 1) { space_[0] = c; }
  template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>)
  Piece(T number) {
    const auto end = std::to_chars(space_, space_ + sizeof(space_), number).ptr;
    text_ = {space_, static_cast<size_t>(end - space_)};
  }
  Piece(std::floating_point auto) = delete;  // or it would be a char
  Piece(const Piece&) = delete;
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  char space_[24];
};

std::string cat_pieces(std::initializer_list<std::string_view> pieces);
void append_pieces(std::string& to, std::initializer_list<std::string_view> pieces);

template <typename... Args>
std::string cat(const Args&... args) {
  return cat_pieces({Piece(args).text()...});
}
template <typename... Args>
void append(std::string& to, const Args&... args) {
  append_pieces(to, {Piece(args).text()...});
}

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
std::string to_lower(std::string_view text);
bool equal_ignore_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);  // blanks and tabs at both ends
std::vector<std::string_view> split(std::string_view text, char at);

// The whole text as a decimal number; nothing else (no sign for unsigned types, no blanks).
template <std::integral T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

// The candidate that is nearest to `word` (at most a third of its letters differ), for "did you mean"; empty when none.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// Text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace sluice
