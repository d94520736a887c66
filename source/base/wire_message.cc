#include "base/wire_message.h"

#include <bit>
#include <optional>

#include "base/varint.h"

namespace sluice {
namespace {

bool take(std::string_view& from, uint64_t size, std::string_view& out) {
  if (size > from.size()) return false;
  out = from.substr(0, static_cast<size_t>(size));
  from.remove_prefix(out.size());
  return true;
}

}  // namespace

double WireField::as_double() const {
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; ++i) bits |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return std::bit_cast<double>(bits);
}

bool take_field(std::string_view& from, WireField& field) {
  const auto tag = take_varint(from);
  if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return false;
  field.number = static_cast<uint32_t>(*tag >> 3);
  field.wire = static_cast<Wire>(*tag & 7);
  std::optional<uint64_t> number;
  switch (field.wire) {
    case Wire::kVarint:
      number = take_varint(from);
      field.varint = number.value_or(0);
      return number.has_value();
    case Wire::kFixed64:
      return take(from, 8, field.bytes);
    case Wire::kFixed32:
      return take(from, 4, field.bytes);
    case Wire::kBytes:
      number = take_varint(from);
      return number && take(from, *number, field.bytes);
    case Wire::kGroup:
    case Wire::kGroupEnd:
      return true;
  }
  return false;
}

bool skip_field(const WireField& field, std::string_view& from, int depth) {
  if (field.wire == Wire::kGroupEnd || depth > kMaxWireDepth) return false;
  if (field.wire != Wire::kGroup) return true;
  WireField inner;
  while (take_field(from, inner)) {
    if (inner.wire == Wire::kGroupEnd) return inner.number == field.number;
    if (!skip_field(inner, from, depth + 1)) return false;
  }
  return false;
}

}  // namespace sluice
