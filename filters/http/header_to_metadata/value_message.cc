#include "filters/http/header_to_metadata/value_message.h"

#include <bit>
#include <cstdint>

#include "base/utf8.h"
#include "base/varint.h"

namespace sluice::filters::header_to_metadata {
namespace {

// How many messages may stand within each other.
constexpr int kMaxDepth = 100;

enum Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kGroupEnd = 4, kFixed32 = 5 };

// One field, as it stands in a message.
struct Field {
  uint32_t number = 0;
  Wire wire = kVarint;
  uint64_t varint = 0;
  std::string_view bytes;  // kBytes: the content; kFixed64, kFixed32: little endian
};

std::optional<std::string_view> take(std::string_view& from, uint64_t size) {
  if (size > from.size()) return std::nullopt;
  const std::string_view out = from.substr(0, size);
  from.remove_prefix(size);
  return out;
}

// The field at the front of `from`, which is taken off. None: no such thing.
std::optional<Field> take_field(std::string_view& from) {
  const auto tag = take_varint(from);
  if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return std::nullopt;
  Field out;
  out.number = static_cast<uint32_t>(*tag >> 3);
  out.wire = static_cast<Wire>(*tag & 7);
  std::optional<uint64_t> number;
  std::optional<std::string_view> bytes = std::string_view();
  switch (out.wire) {
    case kVarint:
      number = take_varint(from);
      if (!number) return std::nullopt;
      out.varint = *number;
      break;
    case kFixed64:
      bytes = take(from, 8);
      break;
    case kFixed32:
      bytes = take(from, 4);
      break;
    case kBytes:
      number = take_varint(from);
      bytes = number ? take(from, *number) : std::nullopt;
      break;
    case kGroup:
    case kGroupEnd:
      break;
    default:
      return std::nullopt;
  }
  if (!bytes) return std::nullopt;
  out.bytes = *bytes;
  return out;
}

// Passes over what no field of ours is; a group up to its end.
bool skip(const Field& field, std::string_view& from, int depth) {
  if (field.wire == kGroupEnd || depth > kMaxDepth) return false;
  if (field.wire != kGroup) return true;
  while (const auto inner = take_field(from)) {
    if (inner->wire == kGroupEnd) return inner->number == field.number;
    if (!skip(*inner, from, depth + 1)) return false;
  }
  return false;
}

// Calls `known(field)` for each field of a message: whether it is one of ours; with `good` false the message is none.
template <typename Known>
bool for_each_field(std::string_view message, int depth, Known&& known) {
  if (depth > kMaxDepth) return false;
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return false;
    bool good = true;
    if (!known(*field, good)) good = skip(*field, message, depth + 1);
    if (!good) return false;
  }
  return true;
}

double number_of(std::string_view little_endian) {
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; ++i) bits |= uint64_t{static_cast<uint8_t>(little_endian[i])} << (8 * i);
  return std::bit_cast<double>(bits);
}

// Value { null_value = 1; number_value = 2; string_value = 3; bool_value = 4; struct_value = 5; list_value = 6 }
bool read_value(std::string_view message, int depth, Value& out, bool& any);

// Struct { map<string, Value> fields = 1 }, an entry of which is { key = 1; value = 2 }.
bool read_struct(std::string_view message, int depth, Value::Map& out) {
  return for_each_field(message, depth, [&](const Field& entry, bool& good) {
    if (entry.number != 1 || entry.wire != kBytes) return false;
    std::string_view key;
    Value value;
    bool any = false;
    good = for_each_field(entry.bytes, depth + 1, [&](const Field& field, bool& fine) {
      if (field.wire != kBytes || field.number > 2) return false;
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
  return for_each_field(message, depth, [&](const Field& field, bool& good) {
    if (field.number != 1 || field.wire != kBytes) return false;
    bool any = false;
    good = read_value(field.bytes, depth + 1, out.emplace_back(), any);
    return true;
  });
}

bool read_value(std::string_view message, int depth, Value& out, bool& any) {
  return for_each_field(message, depth, [&](const Field& field, bool& good) {
    if (field.number == 1 && field.wire == kVarint) {
      out = Value();
    } else if (field.number == 2 && field.wire == kFixed64) {
      out = Value::number(number_of(field.bytes));
    } else if (field.number == 3 && field.wire == kBytes) {
      good = is_utf8(field.bytes);
      out = Value(field.bytes);
    } else if (field.number == 4 && field.wire == kVarint) {
      out = Value::boolean(field.varint != 0);
    } else if (field.number == 5 && field.wire == kBytes) {
      if (out.as_map() == nullptr) out = Value(Value::Map());
      good = read_struct(field.bytes, depth + 1, *out.as_map());
    } else if (field.number == 6 && field.wire == kBytes) {
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
