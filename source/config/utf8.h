// UTF-8: is a text valid, and how to write a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::config {

// No overlong forms, no surrogates, nothing above U+10FFFF. Thread: any.
bool is_utf8(std::string_view text);

// Code points of a valid text (what validation rules call the length of a string). Thread: any.
size_t count_code_points(std::string_view text);

// `code` is a code point, no surrogate. Thread: any.
void append_utf8(std::string& out, uint32_t code);

}  // namespace sluice::config
