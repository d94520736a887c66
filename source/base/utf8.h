// UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Bytes of the character at the front of a text that is not empty; 0: there is none.
size_t utf8_length(std::string_view text);

// Bytes up to the first that belongs to no character.
size_t utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return utf8_prefix(text) == text.size(); }

// Code points of a valid text (what validation rules call the length of a string).
size_t count_code_points(std::string_view text);

// `code` is a code point, no surrogate.
void append_utf8(std::string& out, uint32_t code);

}  // namespace sluice
