// What a NACK says.
#pragma once

#include <string>
#include <string_view>

namespace sluice::xds {

inline constexpr int kNackCode = 13;  // INTERNAL, as Envoy

// Valid UTF-8, whatever the names of resources are, and short enough for peers that limit their messages; empty for an
// empty one. Thread: any.
std::string nack_text(std::string_view why);

}  // namespace sluice::xds
