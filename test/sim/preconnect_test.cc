// Connections that are opened ahead of need, and pools that there may be no more of.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHosts[] = {"10.0.0.11", "10.0.0.12", "10.0.0.13"};

std::string hosts_of(std::string_view options) {
  std::string out = cat(kPlainProxy.substr(0, kPlainProxy.find("  clusters:")), "  clusters:\n  - name: origin\n",
                        "    connect_timeout: 1s\n", options,
                        "    load_assignment:\n      cluster_name: origin\n      endpoints:\n      - lb_endpoints:\n");
  for (const char* ip : kHosts) {
    append(out, "        - endpoint: {address: {socket_address: {address: ", ip, ", port_value: 9000}}}\n");
  }
  return out;
}

class AheadTest : public testing::Test {
 protected:
  void start(std::string_view options) {
    proxy_ = std::make_unique<SimProxy>(7, hosts_of(options),
                                        [](const std::string&, const std::string&) { return answer("10.0.0.9"); });
    ASSERT_EQ(proxy_->error, "");
    for (const char* ip : kHosts) {
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
  uint64_t stat(std::string_view name) {
    return proxy_->server->registry().value(cat("cluster.origin.", name)).value_or(0);
  }
  std::string get() {
    auto talker = proxy_->connect();
    talker->send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    proxy_->world.run_until([&] { return talker->ended(); });
    const std::string& all = talker->received();
    return all.size() < 12 ? "nothing" : all.substr(9, 3);
  }

  std::unique_ptr<SimProxy> proxy_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<SimOrigin>> origins_;
};

TEST_F(AheadTest, TheHostsThatComeNextAreConnectedBefore) {
  start("    preconnect_policy: {predictive_preconnect_ratio: 3.0}\n");
  EXPECT_EQ(get(), "200");
  proxy_->world.run_for(100ms);
  EXPECT_EQ(stat("upstream_cx_active"), 3u);
  EXPECT_EQ(get(), "200");
  EXPECT_EQ(get(), "200");
  EXPECT_EQ(stat("upstream_cx_total"), 3u);  // each met a connection that was there
}

TEST_F(AheadTest, ConnectionsAheadKeepToTheBreaker) {
  start(
      "    preconnect_policy: {predictive_preconnect_ratio: 3.0}\n"
      "    circuit_breakers: {thresholds: [{max_connections: 2}]}\n");
  EXPECT_EQ(get(), "200");
  proxy_->world.run_for(100ms);
  EXPECT_LE(stat("upstream_cx_active"), 3u);  // a host's first one may always be
  EXPECT_GE(stat("upstream_cx_overflow"), 1u);
}

TEST_F(AheadTest, NoMorePoolsThanAllowed) {
  start("    circuit_breakers: {thresholds: [{max_connection_pools: 2}]}\n");
  EXPECT_EQ(get(), "200");
  EXPECT_EQ(get(), "200");
  // The third host has no pool that could give way: those are of other hosts.
  EXPECT_EQ(get(), "503");
  EXPECT_EQ(stat("upstream_cx_pool_overflow"), 1u);
  EXPECT_EQ(get(), "200");
  EXPECT_EQ(stat("upstream_cx_total"), 2u);
  EXPECT_EQ(stat("upstream_rq_pending_active"), 0u);
}

TEST_F(AheadTest, AnIdlePoolOfTheSameHostGivesWay) {
  start(
      "    connection_pool_per_downstream_connection: true\n"
      "    circuit_breakers: {thresholds: [{max_connection_pools: 3}]}\n");
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(get(), "200");
  }
  EXPECT_EQ(stat("upstream_cx_total"), 12u);
  EXPECT_LE(stat("upstream_cx_active"), 3u);
  EXPECT_EQ(stat("upstream_cx_pool_overflow"), 0u);
}

}  // namespace
}  // namespace sluice::test
