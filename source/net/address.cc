#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>

#include "base/strings.h"
#include "net/internal_address.h"

namespace sluice::net {

Result<Address> Address::from_ip(std::string_view ip, uint16_t port) {
  Address out;
  out.port_ = port;
  const std::string text(ip.find('\0') == std::string_view::npos ? ip : std::string_view());  // C would stop there
  if (inet_pton(AF_INET, text.c_str(), out.ip_) == 1) {
    out.kind_ = AddressKind::kIp4;
  } else if (inet_pton(AF_INET6, text.c_str(), out.ip_) == 1) {
    out.kind_ = AddressKind::kIp6;
  } else {
    return Error{cat("'", ip, "' is not an IP address")};
  }
  return out;
}

Result<Address> Address::from_unix(std::string_view path) {
  const bool internal = path.starts_with(kInternalScheme);  // no path of the system
  if (path.empty() || (path.size() > sizeof(sockaddr_un::sun_path) - 1 && !internal)) {
    return Error{cat("unix socket path '", path, "' must have 1 to ", sizeof(sockaddr_un::sun_path) - 1, " bytes")};
  }
  if (path.find('\0') != std::string_view::npos) {
    return Error{"unix socket path with a zero byte; the abstract namespace is written @name"};
  }
  Address out;
  out.kind_ = AddressKind::kUnix;
  out.path_.edit() = path;
  return out;
}

Address Address::from_ip_bytes(AddressKind kind, std::string_view bytes, uint16_t port) {
  Address out;
  out.kind_ = kind;
  out.port_ = port;
  std::memcpy(out.ip_, bytes.data(), std::min(bytes.size(), sizeof(out.ip_)));
  return out;
}

Address Address::from_sockaddr(const sockaddr* sa, socklen_t length) {
  Address out;
  if (sa->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(sa);
    out.kind_ = AddressKind::kIp4;
    out.port_ = ntohs(in->sin_port);
    std::memcpy(out.ip_, &in->sin_addr, 4);
  } else if (sa->sa_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(sa);
    out.port_ = ntohs(in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
      out.kind_ = AddressKind::kIp4;
      std::memcpy(out.ip_, in6->sin6_addr.s6_addr + 12, 4);
    } else {
      out.kind_ = AddressKind::kIp6;
      std::memcpy(out.ip_, &in6->sin6_addr, 16);
    }
  } else if (sa->sa_family == AF_UNIX) {
    const auto* un = reinterpret_cast<const sockaddr_un*>(sa);
    out.kind_ = AddressKind::kUnix;
    const size_t n = length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
    if (n > 0 && un->sun_path[0] == '\0') {
      out.path_.edit() = cat("@", std::string_view(un->sun_path + 1, n - 1));
    } else {
      out.path_.edit().assign(un->sun_path, strnlen(un->sun_path, n));
    }
  }
  return out;
}

Address Address::with_port(uint16_t port) const {
  Address out = *this;
  out.port_ = port;
  return out;
}

bool Address::is_wildcard() const {
  const std::string_view bytes = ip_bytes();
  return !bytes.empty() && bytes.find_first_not_of('\0') == std::string_view::npos;
}

Address Address::masked(uint32_t prefix) const {
  Address out = with_port(0);
  for (uint32_t i = 0; i < sizeof(out.ip_); ++i) {
    const uint32_t kept = prefix <= i * 8 ? 0 : std::min(8U, prefix - i * 8);
    out.ip_[i] = static_cast<uint8_t>(out.ip_[i] & 0xff00U >> kept);
  }
  return out;
}

bool Address::is_loopback() const {
  if (kind_ == AddressKind::kIp4) {
    return ip_[0] == 127;
  }
  return kind_ == AddressKind::kIp6 && std::memcmp(ip_, &in6addr_loopback, 16) == 0;
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof(out));
  if (kind_ == AddressKind::kIp4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&out);
    in->sin_family = AF_INET;
    in->sin_port = htons(port_);
    std::memcpy(&in->sin_addr, ip_, 4);
    return sizeof(*in);
  }
  if (kind_ == AddressKind::kIp6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&out);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port_);
    std::memcpy(&in6->sin6_addr, ip_, 16);
    return sizeof(*in6);
  }
  auto* un = reinterpret_cast<sockaddr_un*>(&out);
  const std::string& path = *path_;
  if (path.starts_with(kInternalScheme)) {  // the system refuses it
    out.ss_family = AF_UNSPEC;
    return sizeof(out.ss_family);
  }
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  if (path.starts_with('@')) {
    un->sun_path[0] = '\0';
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

std::string Address::ip_to_string() const {
  if (!is_ip()) {
    return *path_;
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(kind_ == AddressKind::kIp4 ? AF_INET : AF_INET6, ip_, text, sizeof(text));
  return text;
}

std::string Address::to_string() const {
  switch (kind_) {
    case AddressKind::kNone:
      return "";
    case AddressKind::kIp4:
      return cat(ip_to_string(), ":", port_);
    case AddressKind::kIp6:
      return cat("[", ip_to_string(), "]:", port_);
    case AddressKind::kUnix:
      return *path_;
  }
  return "";
}

Result<Cidr> Cidr::from(std::string_view ip, uint32_t prefix) {
  Result<Address> base = Address::from_ip(ip, 0);
  if (!base) {
    return Error{base.error()};
  }
  Cidr out;
  out.base_ = *base;
  out.prefix_ = std::min<uint32_t>(prefix, static_cast<uint32_t>(base->ip_bytes().size()) * 8);
  return out;
}

bool Cidr::contains(const Address& address) const {
  if (address.kind() != base_.kind()) {
    return false;
  }
  const std::string_view a = base_.ip_bytes();
  const std::string_view b = address.ip_bytes();
  const uint32_t whole = prefix_ / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) {
    return false;
  }
  const uint32_t rest = prefix_ % 8;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return rest == 0 || ((static_cast<uint8_t>(a[whole]) ^ static_cast<uint8_t>(b[whole])) & mask) == 0;
}

}  // namespace sluice::net
