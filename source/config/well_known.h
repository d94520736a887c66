// The well-known types of protobuf that have a form of their own in a text: Duration, Timestamp, FieldMask, Struct,
// Value, ListValue. (Any is in reader.cc; the wrappers are scalars.)
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

// Which form a message has. Thread: any.
enum class WellKnown : uint8_t { None, Any, Duration, Timestamp, FieldMask, Struct, Value, ListValue, Wrapper };
WellKnown well_known(std::string_view full_name);

// "1.5s": digits, at most nine behind the point, the unit s. Thread: any.
std::optional<google::protobuf::Duration> parse_duration(std::string_view text);
// "2020-01-01T00:00:00.5Z" or with an offset "+02:00". Thread: any.
std::optional<google::protobuf::Timestamp> parse_timestamp(std::string_view text);
// "a.b,cD": comma between paths, lowerCamel made snake. Thread: any.
google::protobuf::FieldMask parse_field_mask(std::string_view text);

}  // namespace sluice::config
