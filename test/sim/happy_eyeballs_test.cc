// Happy eyeballs: hosts with several addresses, of which some refuse and some say nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kIps[] = {"10.0.0.11", "10.0.0.12", "10.0.0.13"};

std::string address_of(std::string_view ip) { return cat("{socket_address: {address: ", ip, ", port_value: 9000}}"); }

std::string with_cluster(std::string_view cluster) {
  return cat(kPlainProxy.substr(0, kPlainProxy.find("  clusters:")), "  clusters:\n  - name: origin\n", cluster);
}

// One endpoint with all three addresses.
std::string three_addresses(std::string_view options = "") {
  return with_cluster(cat("    connect_timeout: 1s\n", options,
                          "    load_assignment:\n      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n"
                          "        - endpoint:\n            address: ",
                          address_of(kIps[0]), "\n            additional_addresses: [{address: ", address_of(kIps[1]),
                          "}, {address: ", address_of(kIps[2]), "}]\n"));
}

class HappyEyeballsTest : public testing::Test {
 protected:
  void start(const std::string& yaml) {
    proxy_ = std::make_unique<SimProxy>(
        7, yaml, [](const std::string&, const std::string&) { return answer("10.0.0.9"); }, filters::builtin(), 1,
        [](SimZone& zone) {
          zone.set("origin.test", {kIps[0], kIps[1]});
        });
    ASSERT_EQ(proxy_->error, "");
    proxy_->world.run_for(100ms);  // the first answer of DNS
    for (const char* ip : kIps) {
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
  void reach(size_t which, SimReach how) { proxy_->fabric.set_reach(*net::Address::from_ip(kIps[which], 9000), how); }
  uint64_t stat(std::string_view name) {
    return proxy_->server->registry().value(cat("cluster.origin.", name)).value_or(0);
  }
  // "STATUS BODY" of one request on a connection of its own, and how long it took.
  std::string get() {
    const MonotonicTime began = proxy_->world.now();
    auto talker = proxy_->connect();
    talker->send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    proxy_->world.run_until([&] { return talker->ended(); });
    took_ = proxy_->world.now() - began;
    const std::string& all = talker->received();
    return all.size() < 12 ? "nothing" : cat(all.substr(9, 3), " ", all.substr(all.find("\r\n\r\n") + 4));
  }

  std::unique_ptr<SimProxy> proxy_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<SimOrigin>> origins_;
  Duration took_{0};
};

TEST_F(HappyEyeballsTest, TheFirstAddressIsEnough) {
  start(three_addresses());
  EXPECT_EQ(get(), "200 10.0.0.11");
  proxy_->world.run_for(2s);  // nobody tries the others later
  EXPECT_EQ(stat("upstream_cx_total"), 1u);
}

TEST_F(HappyEyeballsTest, WhatRefusesIsPassedByAtOnce) {
  start(three_addresses());
  reach(0, SimReach::kRefused);
  reach(1, SimReach::kUnreachable);
  EXPECT_EQ(get(), "200 10.0.0.13");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(stat("upstream_cx_total"), 3u);
  EXPECT_EQ(stat("upstream_cx_connect_fail"), 0u);
  EXPECT_EQ(stat("upstream_cx_active"), 1u);
}

TEST_F(HappyEyeballsTest, WhatSaysNothingIsWaitedForAMoment) {
  start(three_addresses());
  reach(0, SimReach::kBlackHole);
  EXPECT_EQ(get(), "200 10.0.0.12");
  EXPECT_GE(took_, 300ms);
  EXPECT_LT(took_, 400ms);
  reach(1, SimReach::kBlackHole);
  // The connection that was made is used on.
  EXPECT_EQ(get(), "200 10.0.0.12");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(stat("upstream_cx_total"), 2u);
}

TEST_F(HappyEyeballsTest, EachSilenceCostsItsMoment) {
  start(three_addresses());
  reach(0, SimReach::kBlackHole);
  reach(1, SimReach::kBlackHole);
  EXPECT_EQ(get(), "200 10.0.0.13");
  EXPECT_GE(took_, 600ms);
  EXPECT_LT(took_, 700ms);
}

TEST_F(HappyEyeballsTest, TheConnectTimeoutIsForAllOfThem) {
  start(three_addresses());
  for (size_t i = 0; i < 3; ++i) reach(i, SimReach::kBlackHole);
  EXPECT_EQ(get().substr(0, 3), "503");
  EXPECT_GE(took_, 1s);
  EXPECT_LT(took_, 1100ms);
  EXPECT_EQ(stat("upstream_cx_connect_timeout"), 1u);
  EXPECT_EQ(stat("upstream_cx_connect_fail"), 1u);
  EXPECT_EQ(stat("upstream_cx_active"), 0u);
}

TEST_F(HappyEyeballsTest, AllRefuse) {
  start(three_addresses());
  for (size_t i = 0; i < 3; ++i) reach(i, SimReach::kRefused);
  EXPECT_EQ(get().substr(0, 3), "503");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(stat("upstream_cx_total"), 3u);
  EXPECT_EQ(stat("upstream_cx_connect_fail"), 1u);
}

// The first one is still tried when all others have failed.
TEST_F(HappyEyeballsTest, WhoFailsLastSaysWhy) {
  start(three_addresses());
  reach(0, SimReach::kBlackHole);
  reach(1, SimReach::kRefused);
  reach(2, SimReach::kRefused);
  EXPECT_EQ(get().substr(0, 3), "503");
  EXPECT_GE(took_, 1s);
  EXPECT_EQ(stat("upstream_cx_connect_timeout"), 1u);
}

TEST_F(HappyEyeballsTest, AClientThatGoesTakesItsRaceAlong) {
  start(three_addresses());
  reach(0, SimReach::kBlackHole);
  reach(1, SimReach::kBlackHole);
  auto talker = proxy_->connect();
  talker->send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  proxy_->world.run_for(400ms);
  EXPECT_EQ(stat("upstream_cx_active"), 1u);
  talker.reset();
  proxy_->world.run_for(2s);
  EXPECT_EQ(stat("upstream_rq_pending_active"), 0u);
  EXPECT_EQ(stat("upstream_rq_cancelled"), 1u);
}

TEST_F(HappyEyeballsTest, ANameHasManyAddressesToo) {
  start(with_cluster(
      cat("    type: LOGICAL_DNS\n    connect_timeout: 1s\n    dns_lookup_family: V4_ONLY\n    load_assignment:\n"
          "      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n"
          "        - endpoint: {address: {socket_address: {address: origin.test, port_value: 9000}}}\n")));
  reach(0, SimReach::kRefused);
  EXPECT_EQ(get(), "200 10.0.0.12");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(stat("membership_total"), 1u);
  // Another set of addresses, of which the first one is gone.
  proxy_->platform.zone.set("origin.test", {kIps[0], kIps[2]});
  proxy_->world.run_for(6s);
  reach(1, SimReach::kRefused);
  origins_[1].reset();
  EXPECT_EQ(get(), "200 10.0.0.13");
}

}  // namespace
}  // namespace sluice::test
