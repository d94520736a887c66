// The rules for one value: numbers, booleans, texts, bytes, enums, durations, and lists and maps as a whole.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "validate/validate.pb.h"

namespace sluice::config {

// A scalar of a message, widened. Enums are int64_t. Thread: any.
using ScalarValue = std::variant<int64_t, uint64_t, double, bool, std::string>;

// What is wrong with a value, as the end of a sentence ("must be at least 1, is 0"); empty when nothing is. `type` is
// the enum's for enum rules, else null. Thread: any.
std::string complaint(const validate::FieldRules& rules, const ScalarValue& value,
                      const google::protobuf::EnumDescriptor* type);
std::string complaint(const validate::DurationRules& rules, const google::protobuf::Duration& value);
std::string complaint(const validate::RepeatedRules& rules, uint64_t items);
std::string complaint(const validate::MapRules& rules, uint64_t pairs);
// For every Duration, with rules or without: Envoy takes none that its timers cannot count.
std::string duration_complaint(const google::protobuf::Duration& value);

}  // namespace sluice::config
