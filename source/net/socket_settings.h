// What is told to a socket beside what Sluice itself wants of it: freebind, keepalives, socket_options.
#pragma once

#include "net/network.h"

namespace sluice::net {

// All return false with errno set when the system refuses. `kind`: of the socket. Thread: any.
bool set_option(int fd, int level, int name, int value);
bool set_freebind(int fd, AddressKind kind);
bool set_transparent(int fd, AddressKind kind);
bool set_keepalive(int fd, const Keepalive& keepalive);
// Those of `options` that are for this moment and for sockets of this kind.
bool set_options(int fd, AddressKind kind, const SocketOptionsPtr& options, SocketOption::When when);

}  // namespace sluice::net
