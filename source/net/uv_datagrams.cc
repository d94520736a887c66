#include "net/uv_datagrams.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sluice::net {

// Connected, so that the kernel keeps the way, and tells when nobody is there.
bool UvDatagrams::open() {
  sockaddr_storage name;
  const socklen_t length = to_.to_sockaddr(name);
  fd_ = socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ >= 0 && connect(fd_, reinterpret_cast<const sockaddr*>(&name), length) != 0) close();
  return fd_ >= 0;
}

void UvDatagrams::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void UvDatagrams::send(std::string_view bytes) {
  if (fd_ < 0 && !open()) return;
  if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0 || errno == EAGAIN) return;
  // UDP: nobody was there for an earlier one; the next one may find somebody. A unix socket is another one by now.
  if (errno != ECONNREFUSED || to_.kind() == AddressKind::kUnix) close();
}

}  // namespace sluice::net
