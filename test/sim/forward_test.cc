// The dynamic forward proxy: names of requests that are looked up, kept, limited and forgotten.
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "test/sim/origins_rig.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string forward_proxy(std::string_view options) {
  const std::string cache = cat("dns_cache_config: {name: names, dns_lookup_family: V4_ONLY", options, "}");
  const std::string_view router = "          - name: envoy.filters.http.router\n";
  std::string out = plain_proxy_to(
      cat("    connect_timeout: 1s\n    lb_policy: CLUSTER_PROVIDED\n"
          "    cluster_type:\n      name: forward\n      typed_config:\n"
          "        \"@type\": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig\n"
          "        ",
          cache, "\n"));
  out.insert(out.find(router),
             cat("          - name: forward\n            typed_config:\n"
                 "              \"@type\": type.googleapis.com/"
                 "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig\n              ",
                 cache, "\n"));
  return out;
}

class ForwardTest : public OriginsTest {
 protected:
  ForwardTest() : OriginsTest("dns_cache.names.") {}
  void start(std::string_view options = "") {
    OriginsTest::start(forward_proxy(options), [](SimZone& zone) {
      zone.set("one.test", {kIps[0]}, 30s);
      zone.set("two.test", {kIps[1]}, 30s);
    });
  }
};

TEST_F(ForwardTest, EachNameIsLookedUpOnce) {
  start();
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  EXPECT_EQ(get("two.test:9000"), "200 10.0.0.12");
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  EXPECT_EQ(get("10.0.0.12:9000"), "200 10.0.0.12");  // an address needs no DNS
  EXPECT_EQ(zone().asked("one.test"), 1u);
  EXPECT_EQ(stat("host_added"), 3u);
  EXPECT_EQ(stat("dns_query_attempt"), 3u);
}

TEST_F(ForwardTest, NamesWithoutAnAddressAreRefused) {
  start();
  EXPECT_EQ(get("none.test:9000"), "503 DNS resolution failure");
  EXPECT_EQ(get("none.test:9000"), "503 DNS resolution failure");  // out of the cache
  EXPECT_EQ(zone().asked("none.test"), 1u);
  EXPECT_EQ(stat("dns_query_failure"), 1u);
}

TEST_F(ForwardTest, WhoeverAsksWhileTheAnswerIsOnItsWayWaitsForIt) {
  start();
  auto first = ask("one.test:9000");
  auto second = ask("one.test:9000");
  proxy_->world.run_until([&] { return first->ended() && second->ended(); });
  EXPECT_EQ(said(first->received()), "200 10.0.0.11");
  EXPECT_EQ(said(second->received()), "200 10.0.0.11");
  EXPECT_EQ(zone().asked("one.test"), 1u);
}

TEST_F(ForwardTest, SilenceEndsWithTheTimeOfAQuery) {
  start(", dns_query_timeout: 2s");
  zone().mood = SimZone::Mood::kSilent;
  auto talker = ask("one.test:9000");
  proxy_->world.run_for(1900ms);
  EXPECT_FALSE(talker->ended());
  proxy_->world.run_for(200ms);
  EXPECT_EQ(said(talker->received()), "503 DNS resolution failure");
  EXPECT_EQ(stat("dns_query_timeout"), 1u);
}

TEST_F(ForwardTest, TooManyNamesAndTooManyWhoWaitAreRefused) {
  start(", max_hosts: 1, dns_cache_circuit_breaker: {max_pending_requests: 1}");
  zone().latency_min = zone().latency_max = 100ms;
  auto first = ask("one.test:9000");
  proxy_->world.run_for(50ms);
  EXPECT_EQ(get("one.test:9000"), "503 Dynamic forward proxy pending request overflow");
  proxy_->world.run_until([&] { return first->ended(); });
  EXPECT_EQ(said(first->received()), "200 10.0.0.11");
  EXPECT_EQ(get("two.test:9000"), "503 DNS cache overflow");
  EXPECT_EQ(stat("host_overflow"), 1u);
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
}

TEST_F(ForwardTest, AClientThatGoesLeavesNothing) {
  start();
  zone().latency_min = zone().latency_max = 100ms;
  {
    auto talker = ask("one.test:9000");
    proxy_->world.run_for(20ms);
  }
  proxy_->world.run_for(1s);
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
}

TEST_F(ForwardTest, NamesThatNobodyAsksForAreForgotten) {
  start(", host_ttl: 60s");
  get("one.test:9000");
  get("two.test:9000");
  for (int i = 0; i < 4; ++i) {
    proxy_->world.run_for(25s);
    EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  }
  EXPECT_EQ(stat("num_hosts"), 1u);
  EXPECT_EQ(stat("host_removed"), 1u);
  EXPECT_EQ(get("two.test:9000"), "200 10.0.0.12");
  EXPECT_EQ(zone().asked("one.test"), 4u);  // again after each life of an answer
}

TEST_F(ForwardTest, AnAddressThatChangesIsFollowedAndAFailureIsNot) {
  start();
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  zone().mood = SimZone::Mood::kServFail;
  proxy_->world.run_for(40s);
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  zone().mood = SimZone::Mood::kWell;
  zone().set("one.test", {"10.0.0.12"}, 30s);
  proxy_->world.run_for(120s);
  // One request takes the connection that is there and does not end; another one needs a new connection.
  auto first = proxy_->connect();
  first->send("POST / HTTP/1.1\r\nhost: one.test:9000\r\ncontent-length: 2\r\nconnection: close\r\n\r\nx");
  proxy_->world.run_for(100ms);
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.12");
  first->send("x");
  proxy_->world.run_until([&] { return first->ended(); });
  EXPECT_EQ(said(first->received()), "200 10.0.0.11");
  EXPECT_EQ(stat("host_address_changed"), 2u);
}

TEST_F(ForwardTest, NamesOfTheConfigurationAreKnownBefore) {
  start(", preresolve_hostnames: [{address: one.test, port_value: 9000}]");
  proxy_->world.run_for(100ms);
  EXPECT_EQ(zone().asked("one.test"), 1u);
  EXPECT_EQ(get("one.test:9000"), "200 10.0.0.11");
  EXPECT_EQ(zone().asked("one.test"), 1u);
}

}  // namespace
}  // namespace sluice::test
