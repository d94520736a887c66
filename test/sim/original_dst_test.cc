// ORIGINAL_DST: requests go where their connection was for, and hosts that nobody uses any more are forgotten.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

// PROXY protocol tells where a connection was for, as the kernel's packet filter does elsewhere.
std::string with_original_dst(std::string_view options) {
  std::string out = plain_proxy_to(cat("    type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED\n", options));
  const std::string_view name = "  - name: main\n";
  out.replace(out.find(name), name.size(),
              cat(name,
                  "    listener_filters:\n    - name: proxy\n      typed_config:\n        \"@type\": "
                  "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol\n"));
  return out;
}

class OriginalDstTest : public testing::Test {
 protected:
  void start(std::string_view options = "") {
    proxy_ = std::make_unique<SimProxy>(3, with_original_dst(options), [](const std::string&, const std::string&) {
      return std::string("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    });
    ASSERT_EQ(proxy_->error, "");
  }
  void TearDown() override {
    EXPECT_TRUE(proxy_->stop());
    proxy_.reset();
  }
  // The status of a request on a connection that was for `to`, "IP PORT".
  std::string get(std::string_view to, std::string_view fields = "") {
    auto talker = proxy_->connect();
    const size_t space = to.find(' ');
    talker->send(cat("PROXY TCP4 10.0.0.1 ", to.substr(0, space), " 1000 ", to.substr(space + 1),
                     "\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", fields, "\r\n"));
    proxy_->world.run_until([&] { return talker->ended(); });
    return talker->received().substr(9, 3);
  }
  uint64_t stat(std::string_view name) {
    return proxy_->server->registry().value(cat("cluster.origin.", name)).value_or(999);
  }

  std::unique_ptr<SimProxy> proxy_;
};

TEST_F(OriginalDstTest, WhereTheConnectionWasFor) {
  start();
  EXPECT_EQ(get("10.0.0.9 9000"), "200");
  EXPECT_EQ(get("10.0.0.9 9000"), "200");
  EXPECT_EQ(get("10.0.0.9 9001"), "503");  // nobody listens
  EXPECT_EQ(stat("membership_total"), 2u);
  EXPECT_EQ(stat("upstream_cx_total"), 2u);
  EXPECT_EQ(stat("upstream_cx_connect_fail"), 1u);
}

TEST_F(OriginalDstTest, AnotherPort) {
  start("    original_dst_lb_config: {upstream_port_override: 9000}\n");
  EXPECT_EQ(get("10.0.0.9 80"), "200");
}

TEST_F(OriginalDstTest, TheHeaderWinsAndIsLeftOutUnlessWanted) {
  start("    original_dst_lb_config: {use_http_header: true}\n");
  EXPECT_EQ(get("10.0.0.9 1", "x-envoy-original-dst-host: 10.0.0.9:9000\r\n"), "200");
  EXPECT_EQ(get("10.0.0.9 9000", "x-envoy-original-dst-host: nonsense\r\n"), "200");
  EXPECT_EQ(stat("original_dst_host_invalid"), 1u);
}

TEST_F(OriginalDstTest, WhatNobodyUsesIsForgotten) {
  start("    cleanup_interval: 1s\n");
  EXPECT_EQ(get("10.0.0.9 9001"), "503");
  EXPECT_EQ(get("10.0.0.9 9000"), "200");
  EXPECT_EQ(stat("membership_total"), 2u);
  proxy_->world.run_for(2500ms);
  EXPECT_EQ(stat("membership_total"), 1u);  // a connection leads to the other
  EXPECT_EQ(get("10.0.0.9 9000"), "200");
  EXPECT_EQ(stat("upstream_cx_total"), 2u);
  EXPECT_EQ(get("10.0.0.9 9001"), "503");  // and back again
  EXPECT_EQ(stat("membership_total"), 2u);
}

}  // namespace
}  // namespace sluice::test
