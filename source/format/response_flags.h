// The names of response flags and of the reasons for a log line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/facts.h"

namespace sluice::format {

enum class FlagNames : uint8_t { kShort, kLong };

std::string_view short_name(Flag flag);  // "UF"
std::string_view long_name(Flag flag);   // "UpstreamConnectionFailure"
// By short name.
std::optional<Flag> flag_of(std::string_view short_name);
// Joined with ',' in Envoy's order; "-" when there is none.
void append_flags(std::string& to, Flags flags, FlagNames names);

std::string_view name_of(LogType type);  // "DownstreamEnd"

}  // namespace sluice::format
