// UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

// Bytes of the character at the front of a text that is not empty; 0: there is none.
size_t utf8_length(std::string_view text);

}  // namespace sluice
