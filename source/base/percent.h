// Percent-encoding of URIs (RFC 3986 2.1).
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// `text` with each %XX as the byte that it stands for; a '%' without two hexadecimal digits stays as it is. Thread:
// any.
void append_percent_decoded(std::string& to, std::string_view text);
std::string percent_decoded(std::string_view text);

}  // namespace sluice
