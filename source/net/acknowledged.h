// What the peer's system has received of a connection.
#pragma once

#include <cstdint>
#include <optional>

namespace sluice::net {

// Bytes that the peer has acknowledged, of a socket that was connected by us; none when the kernel does not say (no
// TCP, or too old). Also after the connection has ended.
std::optional<uint64_t> acknowledged_bytes(int fd);

}  // namespace sluice::net
