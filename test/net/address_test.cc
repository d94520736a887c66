#include "net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

#include "net/address_text.h"

namespace sluice::net {
namespace {

Address ip(std::string_view text, uint16_t port = 0) { return *Address::from_ip(text, port); }

Address round_trip(const Address& address) {
  sockaddr_storage name;
  const socklen_t length = address.to_sockaddr(name);
  return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), length);
}

TEST(Address, Ip) {
  EXPECT_EQ(ip("127.0.0.1", 80).to_string(), "127.0.0.1:80");
  EXPECT_EQ(ip("2001:DB8::0:1", 443).to_string(), "[2001:db8::1]:443");
  EXPECT_EQ(ip("::").ip_to_string(), "::");
  EXPECT_EQ(ip("1.2.3.4").kind(), AddressKind::kIp4);
  EXPECT_EQ(ip("1.2.3.4").ip_bytes(), std::string_view("\1\2\3\4"));
  EXPECT_EQ(ip("::1").ip_bytes().size(), 16u);
  EXPECT_EQ(ip("1.2.3.4", 5).with_port(6), ip("1.2.3.4", 6));
  EXPECT_EQ(ip("1.2.3.4", 5).port(), 5);
}

TEST(Address, WhatIsNoIp) {
  const std::string_view bad[] = {"",          "localhost", "1.2.3",        "1.2.3.4.5",
                                  "256.1.1.1", "01.2.3.4",  " 1.2.3.4",     "1.2.3.4:80",
                                  ":::",       "[::1]",     "fe80::1%eth0", std::string_view("1.2.3.4\0x", 9)};
  for (const std::string_view text : bad) {
    EXPECT_FALSE(Address::from_ip(text, 0).ok()) << text;
  }
  EXPECT_EQ(Address::from_ip("nowhere", 0).error(), "'nowhere' is not an IP address");
}

TEST(Address, RoundTripsThroughSockaddr) {
  for (const Address& address : {ip("10.1.2.3", 65535), ip("2001:db8::7", 1), *Address::from_unix("/run/x.sock"),
                                 *Address::from_unix("@abstract name"), *Address::from_unix(std::string(107, 'p'))}) {
    EXPECT_EQ(round_trip(address), address) << address.to_string();
  }
}

TEST(Address, MappedIpv4IsIpv4) { EXPECT_EQ(round_trip(ip("::ffff:10.0.0.1", 7)), ip("10.0.0.1", 7)); }

TEST(Address, Unix) {
  EXPECT_EQ(Address::from_unix("/a/b")->to_string(), "/a/b");
  EXPECT_EQ(Address::from_unix("/a/b")->kind(), AddressKind::kUnix);
  EXPECT_FALSE(Address::from_unix("/a/b")->is_ip());
  EXPECT_FALSE(Address::from_unix("").ok());
  EXPECT_FALSE(Address::from_unix(std::string(108, 'p')).ok());
  EXPECT_FALSE(Address::from_unix(std::string_view("a\0b", 3)).ok());
  sockaddr_storage name;
  EXPECT_EQ(Address::from_unix("@x")->to_sockaddr(name), offsetof(sockaddr_un, sun_path) + 2);
  EXPECT_EQ(reinterpret_cast<sockaddr_un&>(name).sun_path[0], '\0');
  // The other end of an accepted unix connection has no name.
  sockaddr_un none{};
  none.sun_family = AF_UNIX;
  const Address unnamed = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&none), sizeof(sa_family_t));
  EXPECT_EQ(unnamed.kind(), AddressKind::kUnix);
  EXPECT_EQ(unnamed.to_string(), "");
}

TEST(Address, NoneIsEmpty) {
  EXPECT_EQ(Address().to_string(), "");
  EXPECT_EQ(Address().ip_to_string(), "");
  EXPECT_EQ(Address().ip_bytes(), "");
  EXPECT_FALSE(Address().is_loopback());
  EXPECT_EQ(Address(), Address());
}

TEST(Address, EqualityLooksAtAll) {
  EXPECT_NE(ip("1.2.3.4", 1), ip("1.2.3.4", 2));
  EXPECT_NE(ip("1.2.3.4", 1), ip("1.2.3.5", 1));
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_NE(*Address::from_unix("/a"), *Address::from_unix("/b"));
}

TEST(Address, Loopback) {
  EXPECT_TRUE(ip("127.255.0.1").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
}

TEST(Address, Masked) {
  EXPECT_EQ(ip("10.1.2.255", 9).masked(24), ip("10.1.2.0"));
  EXPECT_EQ(ip("10.1.2.255").masked(0), ip("0.0.0.0"));
  EXPECT_EQ(ip("10.1.2.255").masked(31), ip("10.1.2.254"));
  EXPECT_EQ(ip("10.1.2.255").masked(32), ip("10.1.2.255"));
  EXPECT_EQ(ip("2001:db8:ffff::1").masked(36), ip("2001:db8:f000::"));
}

TEST(Address, AsPeopleWriteThem) {
  EXPECT_EQ(parse_address("10.1.2.3:80"), ip("10.1.2.3", 80));
  EXPECT_EQ(parse_address("[2001:db8::1]:443"), ip("2001:db8::1", 443));
  EXPECT_EQ(parse_address("10.1.2.3:80", 7), ip("10.1.2.3", 80));
  for (const char* without : {"10.1.2.3", "2001:db8::1", "[2001:db8::1]"}) {
    EXPECT_EQ(parse_address(without), std::nullopt) << without;
    EXPECT_NE(parse_address(without, 7), std::nullopt) << without;
  }
  EXPECT_EQ(parse_address("2001:db8::1", 7), ip("2001:db8::1", 7));
  for (const char* wrong : {"", ":80", "name:80", "10.1.2.3:", "10.1.2.3:x", "10.1.2.3:65536", "10.1.2:80", "[::1",
                            "[::1]80", "[::1]:", "[]:80", "1.2.3.4:5:6", "::1:80x"}) {
    EXPECT_EQ(parse_address(wrong, 7), std::nullopt) << wrong;
  }
}

TEST(Cidr, Contains) {
  const auto in = [](const char* net, uint32_t prefix, const char* address) {
    return Cidr::from(net, prefix)->contains(ip(address, 80));
  };
  EXPECT_TRUE(in("10.0.0.0", 8, "10.255.0.1"));
  EXPECT_FALSE(in("10.0.0.0", 8, "11.0.0.1"));
  EXPECT_TRUE(in("10.0.0.77", 8, "10.1.1.1"));  // bits behind the prefix do not count
  EXPECT_TRUE(in("192.168.4.0", 22, "192.168.7.255"));
  EXPECT_FALSE(in("192.168.4.0", 22, "192.168.8.0"));
  EXPECT_TRUE(in("1.2.3.4", 32, "1.2.3.4"));
  EXPECT_FALSE(in("1.2.3.4", 32, "1.2.3.5"));
  EXPECT_TRUE(in("1.2.3.4", 99, "1.2.3.4"));  // cut to 32
  EXPECT_TRUE(in("0.0.0.0", 0, "200.1.1.1"));
  EXPECT_FALSE(in("0.0.0.0", 0, "::1"));
  EXPECT_TRUE(in("2001:db8::", 33, "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::", 33, "2001:db8:8000::1"));
  EXPECT_TRUE(in("::1", 128, "::1"));
  EXPECT_FALSE(Cidr::from("10.0.0", 8).ok());
}

}  // namespace
}  // namespace sluice::net
