// Reading JSON that peers send (RFC 8259), with limits. Configuration has a reader of its own (config/).
#pragma once

#include <optional>
#include <string_view>

#include "base/value.h"

namespace sluice {

// None when `text` is not exactly one JSON value, is nested more than 100 deep, or holds text that is no UTF-8. The
// last of several equal keys counts.
std::optional<Value> parse_json(std::string_view text);

}  // namespace sluice
