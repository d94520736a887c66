// The address by which others know this machine.
#pragma once

#include <string>

namespace sluice::net {

// The first IPv4 address of an interface that is not the loopback, as text; "127.0.0.1" when there is none. To be asked
// once, at start: what X-Forwarded-For says for a client on this machine (Envoy does the same). Thread: any.
std::string machine_ip();

}  // namespace sluice::net
