// Connections that are opened ahead of need, and pools that there may be no more of.
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "test/sim/origins_rig.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

class AheadTest : public OriginsTest {
 protected:
  void start(std::string_view options) {
    std::string hosts =
        cat("    connect_timeout: 1s\n", options,
            "    load_assignment:\n      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n");
    for (const char* ip : kIps) {
      append(hosts, "        - endpoint: {address: {socket_address: {address: ", ip, ", port_value: 9000}}}\n");
    }
    OriginsTest::start(plain_proxy_to(hosts));
  }
  std::string status() { return get().substr(0, 3); }
};

TEST_F(AheadTest, TheHostsThatComeNextAreConnectedBefore) {
  start("    preconnect_policy: {predictive_preconnect_ratio: 3.0}\n");
  EXPECT_EQ(status(), "200");
  proxy_->world.run_for(100ms);
  EXPECT_EQ(stat("upstream_cx_active"), 3u);
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(stat("upstream_cx_total"), 3u);  // each met a connection that was there
}

TEST_F(AheadTest, ConnectionsAheadKeepToTheBreaker) {
  start(
      "    preconnect_policy: {predictive_preconnect_ratio: 3.0}\n"
      "    circuit_breakers: {thresholds: [{max_connections: 2}]}\n");
  EXPECT_EQ(status(), "200");
  proxy_->world.run_for(100ms);
  EXPECT_LE(stat("upstream_cx_active"), 3u);  // a host's first one may always be
  EXPECT_GE(stat("upstream_cx_overflow"), 1u);
}

TEST_F(AheadTest, NoMorePoolsThanAllowed) {
  start("    circuit_breakers: {thresholds: [{max_connection_pools: 2}]}\n");
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(status(), "200");
  // The third host has no pool that could give way: those are of other hosts.
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(stat("upstream_cx_pool_overflow"), 1u);
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(stat("upstream_cx_total"), 2u);
  EXPECT_EQ(stat("upstream_rq_pending_active"), 0u);
}

TEST_F(AheadTest, AnIdlePoolOfTheSameHostGivesWay) {
  start(
      "    connection_pool_per_downstream_connection: true\n"
      "    circuit_breakers: {thresholds: [{max_connection_pools: 3}]}\n");
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(status(), "200");
  }
  EXPECT_EQ(stat("upstream_cx_total"), 12u);
  EXPECT_LE(stat("upstream_cx_active"), 3u);
  EXPECT_EQ(stat("upstream_cx_pool_overflow"), 0u);
}

}  // namespace
}  // namespace sluice::test
