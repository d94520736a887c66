// Writing JSON: strings escaped in place, numbers, values.
#pragma once

#include <string>
#include <string_view>

#include "base/value.h"

namespace sluice::format {

// Turns what stands in `to` from `start` on into the inside of a JSON string (no quotes are added), in place. Text that
// is not UTF-8 keeps its bytes as \u0080..\u00ff, as Envoy does.
void escape_json(std::string& to, size_t start);

// With its quotes.
void append_json_string(std::string& to, std::string_view text);

// The shortest text that reads back as the same number; whole numbers without a fraction.
void append_json_number(std::string& to, double number);

void append_json(std::string& to, const Value& value);

}  // namespace sluice::format
