// Reading a serialised google.protobuf.Value, which a client sends in a header.
// https://protobuf.dev/reference/protobuf/google.protobuf/#value and https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <optional>
#include <string_view>

#include "base/value.h"

namespace sluice::filters::header_to_metadata {

// None when `bytes` are no such message, hold text that is no UTF-8, are nested more than 100 messages deep, or give no
// value at all. As every reader of the format does: unknown fields are passed over, of several kinds the last counts,
// and two maps become one, two lists too. A value within that has no kind is null. Thread: any.
std::optional<Value> parse_value_message(std::string_view bytes);

}  // namespace sluice::filters::header_to_metadata
