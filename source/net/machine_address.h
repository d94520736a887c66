// The address by which others know this machine.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::net {

// The first address of an interface that is not the loopback, as text; "127.0.0.1" or "::1" when there is none. To be asked
// once, at start: what X-Forwarded-For says for a client on this machine (Envoy does the same). Thread: any.
enum class MachineIp : uint8_t { kV4, kV6 };
std::string machine_ip(MachineIp version = MachineIp::kV4);

}  // namespace sluice::net
