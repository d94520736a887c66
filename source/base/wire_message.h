// Reading messages of protobuf by hand, where one is needed of what peers send and no protobuf is linked.
// https://protobuf.dev/programming-guides/encoding/ . Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kGroupEnd = 4, kFixed32 = 5 };

// One field, as it stands in a message.
struct WireField {
  uint32_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t varint = 0;
  std::string_view bytes;  // kBytes: the content; kFixed64, kFixed32: little endian

  // Of a kFixed64.
  double as_double() const;
};

// How many messages may stand within each other.
constexpr int kMaxWireDepth = 100;

// Takes the field at the front of `from` off. False: no such thing.
bool take_field(std::string_view& from, WireField& field);
// Passes over a field that nobody knows; a group up to its end. False: it is not whole, or nested too deep.
bool skip_field(const WireField& field, std::string_view& from, int depth);

// Calls `known(field, good)` for each field of a message, which stands `depth` messages deep: true when it is one of
// its own; with `good` false, or with bytes that are no field, the message is none, and so is the answer.
template <typename Known>
bool for_each_field(std::string_view message, int depth, Known&& known) {
  if (depth > kMaxWireDepth) return false;
  WireField field;
  while (!message.empty()) {
    if (!take_field(message, field)) return false;
    bool good = true;
    if (!known(field, good)) good = skip_field(field, message, depth + 1);
    if (!good) return false;
  }
  return true;
}

}  // namespace sluice
