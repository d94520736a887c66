// How connections end that are not HTTP after all, or whose HTTP/2 client has said GOAWAY.
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string frame(char type, char flags, char stream, std::string_view payload) {
  const char head[] = {0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream};
  return cat(std::string_view(head, sizeof(head)), payload);
}
const std::string kHello = cat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame(4, 0, 0, ""));
const std::string kGoaway = frame(7, 0, 0, std::string(8, '\0'));
// GET http / of the authority "a", to the origin.
const std::string kGet =
    "\x82\x86\x84\x41\x01"
    "a";

SimOrigin::Respond ok() {
  return [](const std::string&, const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; };
}

struct Goodbye : ::testing::Test {
  bool ended(SimTalker& client) {
    return proxy->world.run_until([&] { return client.ended(); }, 500ms);  // delayed_close_timeout is a second
  }
  std::unique_ptr<SimProxy> proxy = std::make_unique<SimProxy>(3, kPlainProxy, ok());
};

TEST_F(Goodbye, AnIdleClientThatSaysGoawayIsLetGo) {
  const auto client = proxy->connect();
  client->send(cat(kHello, kGoaway));
  EXPECT_TRUE(ended(*client));
  const std::string& got = client->received();
  ASSERT_GE(got.size(), 17u);
  EXPECT_EQ(got[got.size() - 17 + 3], 7) << "the last frame is GOAWAY";
  EXPECT_EQ(got.back(), 0) << "without an error";
}

TEST_F(Goodbye, ItsStreamsAreAnsweredBefore) {
  const auto client = proxy->connect();
  client->send(cat(kHello, frame(1, 5, 1, kGet), kGoaway));
  EXPECT_TRUE(ended(*client));
  EXPECT_EQ(proxy->origin.requests(), 1u);
  EXPECT_NE(client->received().find('\x88'), std::string::npos) << "status 200";
}

TEST_F(Goodbye, WhatNamesAnotherProtocolIsNotAnswered) {
  const auto client = proxy->connect();
  client->send("DESCRIBE rtsp://a.test/stream RTSP/1.0\r\n\r\n");
  EXPECT_TRUE(ended(*client));
  EXPECT_EQ(client->received(), "");
}

TEST_F(Goodbye, ButWhatIsBrokenOrComesLaterIs) {
  for (const std::string_view before : {"", "GET /direct HTTP/1.1\r\nhost: a\r\n\r\n"}) {
    const auto client = proxy->connect();
    client->send(before);
    client->send(before.empty() ? "DESCRIBE /stream\r\n\r\n" : "DESCRIBE rtsp://a.test/stream RTSP/1.0\r\n\r\n");
    EXPECT_TRUE(
        proxy->world.run_until([&] { return client->received().find("HTTP/1.1 400") != std::string::npos; }, 500ms));
  }
}

TEST_F(Goodbye, WhereOnlyHttp1IsSpokenItIsAnsweredToo) {
  std::string yaml(kPlainProxy);
  const std::string_view before = "          access_log:\n";
  yaml.insert(yaml.find(before), "          codec_type: HTTP1\n");
  proxy = std::make_unique<SimProxy>(3, yaml, ok());
  const auto client = proxy->connect();
  client->send("DESCRIBE rtsp://a.test/stream RTSP/1.0\r\n\r\n");
  EXPECT_TRUE(
      proxy->world.run_until([&] { return client->received().find("HTTP/1.1 400") != std::string::npos; }, 500ms));
}

}  // namespace
}  // namespace sluice::test
