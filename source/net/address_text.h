// Socket addresses as people and headers write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/address.h"

namespace sluice::net {

// "IP:PORT", "[IP]:PORT"; without a port ("IP", "[IP]") the address gets `otherwise`, and is none when that is not
// given.
std::optional<Address> parse_address(std::string_view text, std::optional<uint16_t> otherwise = std::nullopt);

}  // namespace sluice::net
