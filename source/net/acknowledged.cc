#include "net/acknowledged.h"

// The kernel's own header: that of the C library knows less of tcp_info, and the two cannot be included together.
#include <linux/tcp.h>
#include <sys/socket.h>

#include <cstddef>

namespace sluice::net {

std::optional<uint64_t> acknowledged_bytes(int fd) {
  constexpr int kTcp = 6;  // IPPROTO_TCP
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (getsockopt(fd, kTcp, TCP_INFO, &info, &length) != 0 ||
      length < offsetof(tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked)) {
    return std::nullopt;
  }
  return info.tcpi_bytes_acked > 0 ? info.tcpi_bytes_acked - 1 : 0;  // the SYN counts as well
}

}  // namespace sluice::net
