#include "filters/http/header_to_metadata/value_message.h"

#include "base/utf8.h"
#include "base/wire_message.h"

namespace sluice::filters::header_to_metadata {
namespace {

// Value { null_value = 1; number_value = 2; string_value = 3; bool_value = 4; struct_value = 5; list_value = 6 }
bool read_value(std::string_view message, int depth, Value& out, bool& any);

// Struct { map<string, Value> fields = 1 }, an entry of which is { key = 1; value = 2 }.
bool read_struct(std::string_view message, int depth, Value::Map& out) {
  return for_each_field(message, depth, [&](const WireField& entry, bool& good) {
    if (entry.number != 1 || entry.wire != Wire::kBytes) return false;
    std::string_view key;
    Value value;
    bool any = false;
    good = for_each_field(entry.bytes, depth + 1, [&](const WireField& field, bool& fine) {
      if (field.wire != Wire::kBytes || field.number > 2) return false;
      if (field.number == 1) {
        key = field.bytes;
        fine = is_utf8(key);
      } else {
        fine = read_value(field.bytes, depth + 2, value, any);
      }
      return true;
    });
    if (good) out.set(key, std::move(value));
    return true;
  });
}

// ListValue { repeated Value values = 1 }
bool read_list(std::string_view message, int depth, Value::List& out) {
  return for_each_field(message, depth, [&](const WireField& field, bool& good) {
    if (field.number != 1 || field.wire != Wire::kBytes) return false;
    bool any = false;
    good = read_value(field.bytes, depth + 1, out.emplace_back(), any);
    return true;
  });
}

bool read_value(std::string_view message, int depth, Value& out, bool& any) {
  return for_each_field(message, depth, [&](const WireField& field, bool& good) {
    if (field.number == 1 && field.wire == Wire::kVarint) {
      out = Value();
    } else if (field.number == 2 && field.wire == Wire::kFixed64) {
      out = Value::number(field.as_double());
    } else if (field.number == 3 && field.wire == Wire::kBytes) {
      good = is_utf8(field.bytes);
      out = Value(field.bytes);
    } else if (field.number == 4 && field.wire == Wire::kVarint) {
      out = Value::boolean(field.varint != 0);
    } else if (field.number == 5 && field.wire == Wire::kBytes) {
      if (out.as_map() == nullptr) out = Value(Value::Map());
      good = read_struct(field.bytes, depth + 1, *out.as_map());
    } else if (field.number == 6 && field.wire == Wire::kBytes) {
      if (out.as_list() == nullptr) out = Value(Value::List());
      good = read_list(field.bytes, depth + 1, *out.as_list());
    } else {
      return false;
    }
    any = true;
    return true;
  });
}

}  // namespace

std::optional<Value> parse_value_message(std::string_view bytes) {
  Value out;
  bool any = false;
  if (!read_value(bytes, 1, out, any) || !any) return std::nullopt;
  return out;
}

}  // namespace sluice::filters::header_to_metadata
