// The PROXY header as an upstream gets it.
#include "net/proxy_header.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

using namespace std::string_literals;

Address peer(std::string_view text, uint16_t port) { return *Address::from_ip(text, port); }

TEST(ProxyHeader, Version1) {
  const ProxyHeader header{ProxyVersion::kV1, {}};
  EXPECT_EQ(header.encode(peer("9.8.7.6", 12345), peer("5.4.3.2", 1)), "PROXY TCP4 9.8.7.6 5.4.3.2 12345 1\r\n");
  EXPECT_EQ(header.encode(peer("2001:db8::9", 12345), peer("2001:db8::1", 1)),
            "PROXY TCP6 2001:db8::9 2001:db8::1 12345 1\r\n");
  EXPECT_EQ(header.encode(peer("9.8.7.6", 12345), peer("2001:db8::1", 1)), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(header.encode(Address(), Address()), "PROXY UNKNOWN\r\n");
}

TEST(ProxyHeader, Version2) {
  const ProxyHeader header{ProxyVersion::kV2, {}};
  EXPECT_EQ(header.encode(peer("9.8.7.6", 12345), peer("5.4.3.2", 1)),
            "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x09\x08\x07\x06\x05\x04\x03\x02\x30\x39\0\x01"s);
  EXPECT_EQ(header.encode(Address(), Address()), "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s);
}

TEST(ProxyHeader, ValuesOfItsOwn) {
  const ProxyHeader header{ProxyVersion::kV2, {{0xea, "abc"}, {0x05, ""}}};
  EXPECT_EQ(header.encode(peer("9.8.7.6", 12345), peer("5.4.3.2", 1)).substr(14),
            "\0\x15\x09\x08\x07\x06\x05\x04\x03\x02\x30\x39\0\x01\xea\0\x03"s + "abc"s + "\x05\0\0"s);
}

}  // namespace
}  // namespace sluice::net
