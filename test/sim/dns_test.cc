// DNS clusters: names that come, move and go, and servers that fail or say nothing.
#include <gtest/gtest.h>

#include <set>

#include "base/strings.h"
#include "test/sim/origins_rig.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using Ips = std::vector<std::string>;

std::string cluster(std::string_view type, std::string_view options) {
  return plain_proxy_to(
      cat("    type: ", type, "\n    connect_timeout: 1s\n    dns_lookup_family: V4_ONLY\n", options,
          "    load_assignment:\n      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n"
          "        - endpoint: {address: {socket_address: {address: origin.test, port_value: 9000}}}\n"));
}

// The cluster has the name origin.test.
class DnsTest : public OriginsTest {
 protected:
  void start(std::string_view type, std::string_view options, const Ips& ips,
             SimZone::Mood mood = SimZone::Mood::kWell) {
    OriginsTest::start(cluster(type, options), [&](SimZone& zone) {
      zone.mood = mood;
      if (!ips.empty()) {
        zone.set("origin.test", ips);
      }
    });
    proxy_->world.run_for(mood == SimZone::Mood::kWell ? 100ms : 0ms);  // the first answer
  }
  std::set<std::string> get_many(int count) {
    std::set<std::string> seen;
    for (int i = 0; i < count; ++i) {
      seen.insert(get());
    }
    return seen;
  }
};

using Seen = std::set<std::string>;

TEST_F(DnsTest, StrictFollowsTheAddresses) {
  start("STRICT_DNS", "", {"10.0.0.11", "10.0.0.12"});
  EXPECT_EQ(get_many(6), (Seen{"200 10.0.0.11", "200 10.0.0.12"}));
  zone().set("origin.test", {"10.0.0.12", "10.0.0.13"});
  proxy_->world.run_for(6s);
  EXPECT_EQ(get_many(6), (Seen{"200 10.0.0.12", "200 10.0.0.13"}));
  EXPECT_EQ(stat("membership_total"), 2u);
  EXPECT_EQ(stat("membership_change"), 2u);
}

TEST_F(DnsTest, AnotherOrderIsNoChange) {
  start("STRICT_DNS", "", {"10.0.0.11", "10.0.0.12"});
  proxy_->world.run_for(1s);
  zone().set("origin.test", {"10.0.0.12", "10.0.0.11"});
  proxy_->world.run_for(11s);
  EXPECT_EQ(stat("update_success"), 3u);
  EXPECT_EQ(stat("update_no_rebuild"), 2u);
  EXPECT_EQ(stat("membership_change"), 1u);
}

TEST_F(DnsTest, ANameThatEndsEmptiesStrict) {
  start("STRICT_DNS", "", {"10.0.0.11"});
  EXPECT_EQ(get(), "200 10.0.0.11");
  zone().remove("origin.test");
  proxy_->world.run_for(6s);
  EXPECT_EQ(get().substr(0, 3), "503");
  zone().set("origin.test", {});  // exists, without an address
  proxy_->world.run_for(6s);
  EXPECT_EQ(get().substr(0, 3), "503");
  zone().set("origin.test", {"10.0.0.12"});
  proxy_->world.run_for(6s);
  EXPECT_EQ(get(), "200 10.0.0.12");
}

TEST_F(DnsTest, FailureAndSilenceKeepTheLastGood) {
  start("STRICT_DNS", "", {"10.0.0.11"});
  EXPECT_EQ(get(), "200 10.0.0.11");
  zone().mood = SimZone::Mood::kServFail;
  proxy_->world.run_for(11s);
  EXPECT_EQ(get(), "200 10.0.0.11");
  EXPECT_GE(stat("update_failure"), 2u);
  zone().mood = SimZone::Mood::kSilent;
  proxy_->world.run_for(40s);
  EXPECT_EQ(get(), "200 10.0.0.11");
  zone().mood = SimZone::Mood::kWell;
  zone().set("origin.test", {"10.0.0.13"});
  proxy_->world.run_for(30s);
  EXPECT_EQ(get(), "200 10.0.0.13");
}

TEST_F(DnsTest, LogicalHasOneHostWhoseConnectionsGoOn) {
  start("LOGICAL_DNS", "", {"10.0.0.11", "10.0.0.12"});
  EXPECT_EQ(get_many(4), (Seen{"200 10.0.0.11"}));
  zone().set("origin.test", {"10.0.0.13"});
  proxy_->world.run_for(6s);
  EXPECT_EQ(stat("membership_total"), 1u);
  // The idle connection is still good.
  EXPECT_EQ(get(), "200 10.0.0.11");
  // Two at once: the second needs a new connection.
  auto first = proxy_->connect();
  first->send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab");
  proxy_->world.run_for(100ms);
  EXPECT_EQ(get(), "200 10.0.0.13");
}

TEST_F(DnsTest, LogicalKeepsItsHostWhenTheNameEnds) {
  start("LOGICAL_DNS", "", {"10.0.0.11"});
  EXPECT_EQ(get(), "200 10.0.0.11");
  zone().remove("origin.test");
  proxy_->world.run_for(11s);
  EXPECT_EQ(get(), "200 10.0.0.11");
  EXPECT_GE(stat("update_failure"), 2u);
}

TEST_F(DnsTest, TheTimeToLiveIsTheRate) {
  start("STRICT_DNS", "    respect_dns_ttl: true\n    dns_refresh_rate: 60s\n", {});
  zone().set("origin.test", {"10.0.0.11"}, 4s);
  const uint64_t before = zone().asked("origin.test");
  proxy_->world.run_for(60s);  // the first answer was that there is no such name
  const uint64_t then = zone().asked("origin.test");
  EXPECT_LE(then - before, 1u);
  proxy_->world.run_for(40s);
  EXPECT_NEAR(static_cast<double>(zone().asked("origin.test") - then), 10, 1);
}

TEST_F(DnsTest, JitterComesOnTop) {
  start("STRICT_DNS", "    dns_refresh_rate: 1s\n    dns_jitter: 1s\n", {"10.0.0.11"});
  const uint64_t before = zone().asked("origin.test");
  proxy_->world.run_for(150s);
  EXPECT_NEAR(static_cast<double>(zone().asked("origin.test") - before), 100, 15);
}

TEST_F(DnsTest, FailuresAreAskedAgainLessAndLessOften) {
  start("STRICT_DNS", "    dns_failure_refresh_rate: {base_interval: 1s, max_interval: 30s}\n", {},
        SimZone::Mood::kServFail);
  proxy_->world.run_for(30s);
  const uint64_t early = zone().asked("origin.test");
  EXPECT_GE(early, 3u);
  proxy_->world.run_for(600s);
  const double rate = static_cast<double>(zone().asked("origin.test") - early) / 600;
  EXPECT_LT(rate, 0.2);  // about one in 15 s
  EXPECT_GT(rate, 0.02);
}

TEST_F(DnsTest, ServesOnlyAfterTheFirstAnswer) {
  start("STRICT_DNS", "", {"10.0.0.11"}, SimZone::Mood::kSilent);
  EXPECT_EQ(proxy_->server->state(), server::admin::ServerState::kPreInitializing);
  auto talker = proxy_->connect();
  proxy_->world.run_for(10s);
  EXPECT_TRUE(talker->ended());  // refused: nobody listens yet
  EXPECT_FALSE(talker->connected());
  zone().mood = SimZone::Mood::kWell;
  proxy_->world.run_for(11s);  // 4 tries of 5 s, in vain: that is an answer too
  EXPECT_EQ(proxy_->server->state(), server::admin::ServerState::kLive);
  EXPECT_EQ(get().substr(0, 3), "503");
}

TEST_F(DnsTest, DoesNotWaitWhereItShallNot) {
  start("STRICT_DNS", "    wait_for_warm_on_init: false\n", {"10.0.0.11"}, SimZone::Mood::kSilent);
  EXPECT_EQ(proxy_->server->state(), server::admin::ServerState::kLive);
  EXPECT_EQ(get().substr(0, 3), "503");
}

TEST_F(DnsTest, EndsWhileItWaits) {
  start("STRICT_DNS", "", {}, SimZone::Mood::kSilent);
  proxy_->world.run_for(1s);
  EXPECT_TRUE(proxy_->stop());
}

}  // namespace
}  // namespace sluice::test
