// Happy eyeballs: hosts with several addresses, of which some refuse and some say nothing.
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "test/sim/origins_rig.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string address_of(std::string_view ip) { return cat("{socket_address: {address: ", ip, ", port_value: 9000}}"); }

class HappyEyeballsTest : public OriginsTest {
 protected:
  void start(std::string_view fields) {
    OriginsTest::start(plain_proxy_to(fields), [](SimZone& zone) { zone.set("origin.test", {kIps[0], kIps[1]}); });
    proxy_->world.run_for(100ms);  // the first answer of DNS
  }
  // One endpoint with all three addresses.
  static std::string three_addresses() {
    return cat("    connect_timeout: 1s\n    load_assignment:\n      cluster_name: origin\n      endpoints:\n",
               "      - lb_endpoints:\n        - endpoint:\n            address: ", address_of(kIps[0]),
               "\n            additional_addresses: [{address: ", address_of(kIps[1]),
               "}, {address: ", address_of(kIps[2]), "}]\n");
  }
  void reach(size_t which, SimReach how) { proxy_->fabric.set_reach(*net::Address::from_ip(kIps[which], 9000), how); }
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
  start(
      "    type: LOGICAL_DNS\n    connect_timeout: 1s\n    dns_lookup_family: V4_ONLY\n    load_assignment:\n"
      "      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n"
      "        - endpoint: {address: {socket_address: {address: origin.test, port_value: 9000}}}\n");
  reach(0, SimReach::kRefused);
  EXPECT_EQ(get(), "200 10.0.0.12");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(stat("membership_total"), 1u);
  // Another set of addresses, of which the first one is gone.
  zone().set("origin.test", {kIps[0], kIps[2]});
  proxy_->world.run_for(6s);
  reach(1, SimReach::kRefused);
  origins_[1].reset();
  EXPECT_EQ(get(), "200 10.0.0.13");
}

}  // namespace
}  // namespace sluice::test
