// The dynamic forward proxy: names of requests that are looked up, kept, limited and forgotten.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string forward_proxy(std::string_view options) {
  const std::string cache = cat("dns_cache_config: {name: names, dns_lookup_family: V4_ONLY", options, "}");
  const std::string_view router = "          - name: envoy.filters.http.router\n";
  std::string out(kPlainProxy.substr(0, kPlainProxy.find("  clusters:")));
  out.insert(out.find(router),
             cat("          - name: forward\n            typed_config:\n"
                 "              \"@type\": type.googleapis.com/"
                 "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig\n              ",
                 cache, "\n"));
  return cat(out,
             "  clusters:\n  - name: origin\n    connect_timeout: 1s\n    lb_policy: CLUSTER_PROVIDED\n"
             "    cluster_type:\n      name: forward\n      typed_config:\n"
             "        \"@type\": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig\n"
             "        ",
             cache, "\n");
}

class ForwardTest : public testing::Test {
 protected:
  void start(std::string_view options = "") {
    proxy_ = std::make_unique<SimProxy>(
        7, forward_proxy(options), [](const std::string&, const std::string&) { return answer("10.0.0.9"); },
        filters::builtin(), 1, [](SimZone& zone) {
          zone.set("one.test", {"10.0.0.11"}, 30s);
          zone.set("two.test", {"10.0.0.12"}, 30s);
        });
    ASSERT_EQ(proxy_->error, "");
    for (const char* ip : {"10.0.0.11", "10.0.0.12"}) {
      machines_.push_back(std::make_unique<SimMachine>(proxy_->fabric, ip));
      origins_.push_back(
          std::make_unique<SimOrigin>(*machines_.back(), *net::Address::from_ip(ip, 9000),
                                      [ip](const std::string&, const std::string&) { return answer(ip); }));
    }
  }
  void TearDown() override {
    EXPECT_TRUE(proxy_->stop());
    origins_.clear();
    machines_.clear();
    proxy_.reset();
  }
  static std::string answer(std::string_view who) {
    return cat("HTTP/1.1 200 OK\r\ncontent-length: ", who.size(), "\r\n\r\n", who);
  }
  SimZone& zone() { return proxy_->platform.zone; }
  uint64_t stat(std::string_view name) {
    return proxy_->server->registry().value(cat("dns_cache.names.", name)).value_or(0);
  }
  auto ask(std::string_view host) {
    auto talker = proxy_->connect();
    talker->send(cat("GET / HTTP/1.1\r\nhost: ", host, "\r\nconnection: close\r\n\r\n"));
    return talker;
  }
  // "STATUS BODY" of one request on a connection of its own.
  std::string get(std::string_view host) {
    auto talker = ask(host);
    proxy_->world.run_until([&] { return talker->ended(); });
    return said(talker->received());
  }
  static std::string said(const std::string& all) {
    return all.size() < 12 ? "nothing" : cat(all.substr(9, 3), " ", all.substr(all.find("\r\n\r\n") + 4));
  }

  std::unique_ptr<SimProxy> proxy_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<SimOrigin>> origins_;
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
  { auto talker = ask("one.test:9000"); proxy_->world.run_for(20ms); }
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
