#include "filters/listener/tls_inspector/client_hello.h"

#include <gtest/gtest.h>

namespace sluice::filters::tls_inspector {
namespace {

std::string number(size_t value, size_t bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
  return out;
}
std::string part(const std::string& content, size_t bytes) { return number(content.size(), bytes) + content; }
std::string extension(size_t type, const std::string& content) { return number(type, 2) + part(content, 2); }
std::string name_extension(const std::string& name) {
  return extension(0, part(std::string(1, '\0') + part(name, 2), 2));
}
std::string alpn_extension(const std::string& protocols) { return extension(16, part(protocols, 2)); }

std::string message(const std::string& extensions) {
  const std::string body = number(0x0303, 2) + std::string(32, 'r') + part("session", 1) + part(number(0x1301, 2), 2) +
                           part(std::string(1, '\0'), 1) + part(extensions, 2);
  return number(1, 1) + part(body, 3);
}

// Cut into records of `size` bytes.
std::string records(const std::string& handshake, size_t size = 16384) {
  std::string out;
  for (size_t at = 0; at < handshake.size(); at += size) {
    out += "\x16\x03\x01" + part(handshake.substr(at, size), 2);
  }
  return out;
}

TEST(ClientHelloTest, NameAndProtocolsInAnyCut) {
  const std::string handshake = message(extension(43, "xx") + name_extension("A.Example.TEST") +
                                        alpn_extension(part("h2", 1) + part("http/1.1", 1)) + extension(7, ""));
  for (const size_t record : {size_t{1}, size_t{3}, size_t{50}, size_t{16384}}) {
    const std::string wire = records(handshake, record);
    ClientHello hello;
    for (size_t seen = 0; seen < wire.size(); ++seen) {
      const HelloResult result = read_client_hello(std::string_view(wire).substr(0, seen), hello);
      ASSERT_EQ(result.status, HelloStatus::kMore) << seen;
      ASSERT_GT(result.wanted, seen);
      ASSERT_LE(result.wanted, wire.size());
    }
    ASSERT_EQ(read_client_hello(wire, hello).status, HelloStatus::kDone);
    EXPECT_EQ(hello.server_name, "a.example.test");
    EXPECT_EQ(hello.application_protocols, (std::vector<std::string>{"h2", "http/1.1"}));
  }
}

// Else a client could have its bytes looked at again for each record of a byte.
TEST(ClientHelloTest, ItIsReadFewTimesHoweverItIsCut) {
  const std::string handshake = message(name_extension("a.test") + extension(21, std::string(10'000, 'p')));
  for (const size_t record : {size_t{1}, size_t{2}, size_t{100}, size_t{16384}}) {
    const std::string wire = records(handshake, record);
    ClientHello hello;
    HelloResult result{HelloStatus::kMore, 5};
    int times = 0;
    for (; result.status == HelloStatus::kMore; ++times)
      result = read_client_hello(std::string_view(wire).substr(0, result.wanted), hello);
    EXPECT_EQ(result.status, HelloStatus::kDone);
    EXPECT_LE(times, 120) << record;
  }
}

TEST(ClientHelloTest, WithoutExtensions) {
  ClientHello hello;
  EXPECT_EQ(read_client_hello(records(message("")), hello).status, HelloStatus::kDone);
  EXPECT_TRUE(hello.server_name.empty());
}

TEST(ClientHelloTest, EveryByteChanged) {
  // Nothing is read out of bounds, and a name is the one that was sent or none.
  const std::string wire = records(message(name_extension("a.test") + alpn_extension(part("h2", 1))));
  for (size_t at = 0; at < wire.size(); ++at) {
    for (const int change : {1, 0x80, 0xff}) {
      std::string bad = wire;
      bad[at] = static_cast<char>(bad[at] ^ change);
      ClientHello hello;
      const HelloResult result = read_client_hello(bad, hello);
      if (result.status == HelloStatus::kMore) {
        EXPECT_GT(result.wanted, bad.size());
      }
    }
  }
}

TEST(ClientHelloTest, OtherThings) {
  ClientHello hello;
  const auto status = [&](std::string_view bytes) { return read_client_hello(bytes, hello).status; };
  EXPECT_EQ(status("plain"), HelloStatus::kNotTls);
  EXPECT_EQ(status("hi"), HelloStatus::kMore);
  EXPECT_EQ(status(std::string_view("\x16\x03\x01\x00\x05hello", 10)), HelloStatus::kNotTls);
  EXPECT_EQ(status(std::string_view("\x15\x03\x01\x00\x02", 5)), HelloStatus::kMore);
  EXPECT_EQ(status(records(message(name_extension("")))), HelloStatus::kNotTls);
  EXPECT_EQ(status(records(message(name_extension(std::string("a\0b", 3))))), HelloStatus::kNotTls);
  EXPECT_EQ(status(records(message(name_extension("a") + name_extension("b")))), HelloStatus::kNotTls);
  EXPECT_EQ(status(records(message(alpn_extension("")))), HelloStatus::kNotTls);
}

}  // namespace
}  // namespace sluice::filters::tls_inspector
