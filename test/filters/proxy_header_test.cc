#include "filters/listener/proxy_protocol/proxy_header.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace sluice::filters::proxy_protocol {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kIp4("\x01\x02\x03\x04\x05\x06\x07\x08\x10\x00\x01\xbb", 12);

std::string binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size()) + rest;
}

HeaderStatus status_of(std::string_view bytes) {
  ProxyHeader header;
  return read_proxy_header(bytes, header).status;
}

// Headers look into what they were read from.
std::deque<std::string> texts;

// Every shorter piece asks for more, but for no more than there is.
ProxyHeader read_whole(const std::string& wire) {
  for (size_t seen = 0; seen < wire.size(); ++seen) {
    ProxyHeader header;
    const HeaderResult result = read_proxy_header(std::string_view(wire).substr(0, seen), header);
    EXPECT_EQ(result.status, HeaderStatus::kMore) << seen;
    EXPECT_GT(result.wanted, seen);
    EXPECT_LE(result.wanted, std::max<size_t>(wire.size(), 16));
  }
  ProxyHeader header;
  const HeaderResult result = read_proxy_header(texts.emplace_back(wire + "more"), header);
  EXPECT_EQ(result.status, HeaderStatus::kDone);
  EXPECT_EQ(result.size, wire.size());
  return header;
}

TEST(ProxyHeaderTest, Lines) {
  const ProxyHeader four = read_whole("PROXY TCP4 9.8.7.6 5.4.3.2 12345 443\r\n");
  EXPECT_TRUE(four.real);
  EXPECT_EQ(four.source.to_string(), "9.8.7.6:12345");
  EXPECT_EQ(four.destination.to_string(), "5.4.3.2:443");
  EXPECT_EQ(read_whole("PROXY TCP6 2001:db8::9 ::1 1 2\r\n").source.to_string(), "[2001:db8::9]:1");
  EXPECT_FALSE(read_whole("PROXY UNKNOWN\r\n").real);
  EXPECT_FALSE(read_whole("PROXY UNKNOWN what ever it says\r\n").real);
}

TEST(ProxyHeaderTest, BrokenLines) {
  for (const char* line :
       {"PROXY\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
        "PROXY TCP4 ::1 2.2.2.2 1 2\r\n", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n"}) {
    EXPECT_NE(status_of(line), HeaderStatus::kDone) << line;
    EXPECT_NE(status_of(line), HeaderStatus::kMore) << line;
  }
  EXPECT_EQ(status_of("PROXY " + std::string(200, 'x')), HeaderStatus::kBroken);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n"), HeaderStatus::kNone);
}

TEST(ProxyHeaderTest, Binary) {
  const ProxyHeader four = read_whole(binary(0x21, 0x11, kIp4));
  EXPECT_EQ(four.source.to_string(), "1.2.3.4:4096");
  EXPECT_EQ(four.destination.to_string(), "5.6.7.8:443");
  EXPECT_EQ(read_whole(binary(0x21, 0x12, kIp4)).source.to_string(), "1.2.3.4:4096");  // datagrams
  EXPECT_FALSE(read_whole(binary(0x20, 0x11, kIp4)).real);                             // LOCAL
  EXPECT_FALSE(read_whole(binary(0x20, 0x00, "")).real);
  const ProxyHeader more = read_whole(binary(0x21, 0x11,
                                             kIp4 + std::string("\x02\x00\x03"
                                                                "abc\x04\x00\x00",
                                                                9)));
  ASSERT_EQ(more.tlvs.size(), 2u);
  EXPECT_EQ(more.tlvs[0].type, 2);
  EXPECT_EQ(more.tlvs[0].value, "abc");
  EXPECT_EQ(more.tlvs[1].value, "");
}

TEST(ProxyHeaderTest, BrokenBinary) {
  EXPECT_EQ(status_of(binary(0x11, 0x11, kIp4)), HeaderStatus::kBroken);                   // version 1
  EXPECT_EQ(status_of(binary(0x22, 0x11, kIp4)), HeaderStatus::kBroken);                   // unknown command
  EXPECT_EQ(status_of(binary(0x21, 0x00, "")), HeaderStatus::kBroken);                     // unspecified
  EXPECT_EQ(status_of(binary(0x21, 0x10, kIp4)), HeaderStatus::kBroken);                   // no transport
  EXPECT_EQ(status_of(binary(0x21, 0x31, std::string(216, 'a'))), HeaderStatus::kBroken);  // unix
  EXPECT_EQ(status_of(binary(0x21, 0x21, kIp4)), HeaderStatus::kBroken);                   // too short for IPv6
  EXPECT_EQ(status_of(binary(0x21, 0x11,
                             kIp4 + std::string("\x02\x00\x40"
                                                "a",
                                                4))),
            HeaderStatus::kBroken);
}

TEST(ProxyHeaderTest, FirstBytes) {
  for (const char* text : {"P", "PRO", "PROXY ", "PROXY TCP4", "\r", "\r\n\r\n"})
    EXPECT_TRUE(may_be_header(text)) << text;
  for (const char* text : {"hi", "PROXX", "PROSE", "\n", "\r\r"}) EXPECT_FALSE(may_be_header(text)) << text;
}

}  // namespace
}  // namespace sluice::filters::proxy_protocol
