// fault, buffer and local_ratelimit in a whole proxy: what takes time, and what a client that goes leaves behind.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

class TrafficFilters : public ::testing::Test {
 protected:
  // `fields` of one filter before the router, in flow style.
  void start(std::string_view type, std::string_view fields, SimOrigin::Respond respond) {
    std::string yaml(kPlainProxy);
    const std::string_view list = "          http_filters:\n";
    yaml.insert(yaml.find(list) + list.size(),
                cat("          - {name: it, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.", type,
                    ", ", fields, "}}\n"));
    proxy = std::make_unique<SimProxy>(7, yaml, std::move(respond));
    ASSERT_EQ(proxy->error, "");
    client = proxy->connect();
  }
  bool receives(std::string_view text, Duration limit = 60s) {
    return proxy->world.run_until([&] { return client->received().find(text) != std::string::npos; }, limit);
  }
  uint64_t stat(std::string_view name) { return proxy->server->registry().value(name).value_or(999'999); }

  std::unique_ptr<SimProxy> proxy;
  std::unique_ptr<SimTalker> client;
};

SimOrigin::Respond sized(size_t bytes) {
  return [bytes](const std::string&, const std::string&) {
    return cat("HTTP/1.1 200 OK\r\ncontent-length: ", bytes, "\r\n\r\n", std::string(bytes - 1, 'x'), "!");
  };
}

TEST_F(TrafficFilters, ADelayIsAsLongAsItSays) {
  start("fault.v3.HTTPFault", "delay: {fixed_delay: 3s, percentage: {numerator: 100}}", sized(5));
  const MonotonicTime began = proxy->world.now();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(receives("!"));
  const auto took = to_ms(proxy->world.now() - began);
  EXPECT_GE(took, 3000);
  EXPECT_LE(took, 3100);
  EXPECT_EQ(stat("http.main.fault.active_faults"), 0u);
}

TEST_F(TrafficFilters, AClientThatGoesWhileItIsDelayedIsNoActiveFault) {
  start("fault.v3.HTTPFault", "delay: {fixed_delay: 30s, percentage: {numerator: 100}}", sized(5));
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  proxy->world.run_for(1s);
  EXPECT_EQ(stat("http.main.fault.active_faults"), 1u);
  client->close(net::CloseHow::kReset);
  proxy->world.run_for(1s);
  EXPECT_EQ(stat("http.main.fault.active_faults"), 0u);
  proxy->world.run_for(60s);
  EXPECT_EQ(proxy->origin.requests(), 0u);
}

TEST_F(TrafficFilters, AResponseComesAtItsRate) {
  constexpr size_t kBytes = 200'000;
  start("fault.v3.HTTPFault", "response_rate_limit: {fixed_limit: {limit_kbps: 20}, percentage: {numerator: 100}}",
        sized(kBytes));
  const MonotonicTime began = proxy->world.now();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(receives("!"));
  const auto took = to_ms(proxy->world.now() - began);
  EXPECT_GE(took, 9000);   // 200,000 / 20,480 = 9.8 s
  EXPECT_LE(took, 11000);
  EXPECT_GE(client->received().size(), kBytes);
  // The next one on the same connections is at its rate too, and whole.
  const size_t before = client->received().size();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(proxy->world.run_until([&] { return client->received().size() >= before + kBytes; }, 20s));
}

TEST_F(TrafficFilters, ABufferedRequestReachesTheOriginWhole) {
  start("buffer.v3.Buffer", "max_request_bytes: 100", sized(5));
  client->send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n01234");
  proxy->world.run_for(5s);
  EXPECT_EQ(proxy->origin.connections(), 0u);
  client->send("56789");
  EXPECT_TRUE(receives("!"));
}

TEST_F(TrafficFilters, BucketsRefill) {
  start("local_ratelimit.v3.LocalRateLimit",
        "stat_prefix: l, token_bucket: {max_tokens: 1, fill_interval: 10s}, enable_x_ratelimit_headers: DRAFT_VERSION_03, "
        "filter_enabled: {default_value: {numerator: 100}}, filter_enforced: {default_value: {numerator: 100}}, "
        "response_headers_to_add: [{header: {key: x-limited, value: \"yes\"}}]",
        sized(5));
  client->send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(receives("!"));
  EXPECT_TRUE(receives("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 10\r\n"));
  client->send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(receives("local_rate_limited"));
  EXPECT_TRUE(receives("x-limited: yes"));
  proxy->world.run_for(10s);
  client->send("GET /3 HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(proxy->world.run_until([&] { return proxy->origin.requests() == 2; }, 5s));
  EXPECT_EQ(stat("l.http_local_rate_limit.ok"), 2u);
  EXPECT_EQ(stat("l.http_local_rate_limit.enforced"), 1u);
}

}  // namespace
}  // namespace sluice::test
