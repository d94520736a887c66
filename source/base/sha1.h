// SHA-1 (FIPS 180-4): for formats that have it, never to protect something new.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

std::array<char, 20> sha1(std::string_view bytes);

}  // namespace sluice
