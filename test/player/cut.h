// Cut: the connection of a case that is ended in the middle of something, and the count of bytes that says where that
// can be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/transport.h"

namespace sluice::player {

// A client or an origin goes away once so many bytes have passed at its end, of those that it sends or of those that it
// gets. Thread: any.
struct Cut {
  enum class Of : uint8_t { kSent, kReceived };
  size_t wire = 0;  // in the order in which the connections of clients and origins came to be
  Of of = Of::kSent;
  uint64_t at = 0;
  net::CloseHow how = net::CloseHow::kReset;

  // "3:sent:120:reset"; nothing when it is no cut.
  static std::optional<Cut> parse(std::string_view text);
  std::string to_string() const;
};

// What passed at the ends of the clients and origins so far. Part of a Stage. Thread: the simulation's.
struct Passed {
  struct Bytes {
    uint64_t sent = 0, received = 0;
  };
  std::vector<Bytes> wires;
  std::optional<Cut> cut;
};

}  // namespace sluice::player
