// Variable-length integers as protobuf writes them (https://protobuf.dev/programming-guides/encoding/#varints), for the
// messages that are written and read by hand. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

inline void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

// A text, bytes or a message as field `number` of the message whose bytes `to` are.
inline void append_field(std::string& to, uint32_t number, std::string_view bytes) {
  append_varint(to, uint64_t{number} << 3 | 2);
  append_varint(to, bytes.size());
  to.append(bytes);
}

// The number at the front of `from`, which is taken off. Nothing: cut short, or longer than a number can be.
inline std::optional<uint64_t> take_varint(std::string_view& from) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(from.front());
    from.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace sluice
