#include "net/socket_settings.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace sluice::net {

bool ListenOptions::makes_same_socket(const ListenOptions& other) const {
  const auto same_list = [](const SocketOptionsPtr& a, const SocketOptionsPtr& b) {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
  };
  return bind_to_port == other.bind_to_port && reuse_port == other.reuse_port && ipv4_compat == other.ipv4_compat &&
         unix_mode == other.unix_mode && freebind == other.freebind && transparent == other.transparent &&
         mptcp == other.mptcp && fast_open_queue == other.fast_open_queue && keepalive == other.keepalive &&
         same_list(more, other.more);
}

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// An IPv6 socket may carry IPv4 too.
bool set_freebind(int fd, AddressKind kind) {
  return set_option(fd, IPPROTO_IP, IP_FREEBIND, 1) &&
         (kind != AddressKind::kIp6 || set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1));
}

bool set_transparent(int fd, AddressKind kind) {
  return set_option(fd, IPPROTO_IP, IP_TRANSPARENT, 1) &&
         (kind != AddressKind::kIp6 || set_option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1));
}

bool set_keepalive(int fd, const Keepalive& keepalive) {
  const auto set = [fd](int name, uint32_t value) {
    return value == 0 || set_option(fd, IPPROTO_TCP, name, static_cast<int>(value));
  };
  return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) && set(TCP_KEEPCNT, keepalive.probes) &&
         set(TCP_KEEPIDLE, keepalive.idle_s) && set(TCP_KEEPINTVL, keepalive.interval_s);
}

bool set_options(int fd, AddressKind kind, const SocketOptionsPtr& options, SocketOption::When when) {
  return options == nullptr || std::all_of(options->begin(), options->end(), [&](const SocketOption& one) {
           const bool meant = one.when == when && (one.only == AddressKind::kNone || one.only == kind);
           return !meant ||
                  setsockopt(fd, one.level, one.name, one.value.data(), static_cast<socklen_t>(one.value.size())) == 0;
         });
}

}  // namespace sluice::net
