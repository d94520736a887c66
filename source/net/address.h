// Socket addresses: IPv4, IPv6, unix paths and abstract names.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/rare.h"
#include "base/result.h"

namespace sluice::net {

enum class AddressKind : uint8_t { kNone, kIp4, kIp6, kUnix };

// A value; small addresses are compared and copied without allocation. Thread: any.
class Address {
 public:
  Address() = default;

  // "127.0.0.1", "::1", "::"; no names. Error: not an IP address.
  static Result<Address> from_ip(std::string_view ip, uint16_t port);
  // A path, or "@name" for the abstract namespace. Error: longer than 107 bytes.
  static Result<Address> from_unix(std::string_view path);
  // `bytes`: the 4 or 16 bytes in network order that `kind` has.
  static Address from_ip_bytes(AddressKind kind, std::string_view bytes, uint16_t port);
  static Address from_sockaddr(const sockaddr* sa, socklen_t length);

  AddressKind kind() const { return kind_; }
  bool is_ip() const { return kind_ == AddressKind::kIp4 || kind_ == AddressKind::kIp6; }
  uint16_t port() const { return port_; }
  Address with_port(uint16_t port) const;
  bool is_loopback() const;
  // 0.0.0.0 or ::
  bool is_wildcard() const;
  // The network that it belongs to: its first `prefix` bits, port 0. IP only.
  Address masked(uint32_t prefix) const;
  // The 4 or 16 bytes of the IP address in network order; empty when it is none.
  std::string_view ip_bytes() const {
    const size_t bytes = kind_ == AddressKind::kIp4 ? 4 : kind_ == AddressKind::kIp6 ? 16 : 0;
    return {reinterpret_cast<const char*>(ip_), bytes};
  }

  // For bind() and connect().
  socklen_t to_sockaddr(sockaddr_storage& out) const;

  std::string ip_to_string() const;  // "127.0.0.1", "::1"; the path of a unix address
  std::string to_string() const;     // "127.0.0.1:80", "[::1]:80"; the path of a unix address

  friend bool operator==(const Address& a, const Address& b) {
    return a.kind_ == b.kind_ && a.port_ == b.port_ && std::memcmp(a.ip_, b.ip_, sizeof(a.ip_)) == 0 &&
           ((!a.path_ && !b.path_) || *a.path_ == *b.path_);
  }

 private:
  AddressKind kind_ = AddressKind::kNone;
  uint16_t port_ = 0;
  uint8_t ip_[16] = {};
  Rare<std::string> path_;  // unix only: addresses are many, and hardly any is a path
};

// A network like 10.0.0.0/8. Thread: any.
class Cidr {
 public:
  // `prefix` beyond the address's length is cut to it, as Envoy does.
  static Result<Cidr> from(std::string_view ip, uint32_t prefix);
  bool contains(const Address& address) const;

 private:
  Address base_;
  uint32_t prefix_ = 0;
};

}  // namespace sluice::net
