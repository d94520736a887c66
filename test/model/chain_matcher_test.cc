#include "model/chain_matcher.h"

#include <gtest/gtest.h>

namespace sluice::model {
namespace {

net::Address at(std::string_view ip, uint16_t port = 0) { return *net::Address::from_ip(ip, port); }

// A connection; what a test does not set is what most connections have.
struct Client {
  net::Address destination = at("10.0.0.1", 443);
  std::string server_name;
  std::string transport_protocol = "raw_buffer";
  std::vector<std::string> protocols;
  net::Address direct = at("192.0.2.1", 5000);
  net::Address source = at("192.0.2.1", 5000);
};

class ChainMatcherTest : public testing::Test {
 protected:
  std::optional<uint32_t> add(const ChainCriteria& criteria) { return matcher_.add(criteria, next_++); }
  int find(const Client& client) {
    const auto chain = matcher_.find({client.destination, client.server_name, client.transport_protocol,
                                      client.protocols, client.direct, client.source});
    return chain ? static_cast<int>(*chain) : -1;
  }

  ChainMatcher matcher_;
  uint32_t next_ = 0;
};

TEST_F(ChainMatcherTest, NothingMatchesNothing) { EXPECT_EQ(find({}), -1); }

TEST_F(ChainMatcherTest, PortBeforeAddress) {
  add({.destination_port = 443});
  add({.destinations = {{at("10.0.0.1"), 32}}});
  EXPECT_EQ(find({}), 0);
  EXPECT_EQ(find({.destination = at("10.0.0.1", 80)}), 1);
  EXPECT_EQ(find({.destination = at("10.0.0.2", 80)}), -1);
}

TEST_F(ChainMatcherTest, LongestPrefixWinsAndThereIsNoWayBack) {
  add({.destinations = {{at("10.0.0.0"), 8}}});
  add({.destinations = {{at("10.0.0.0"), 24}}, .transport_protocol = "tls"});
  add({.destinations = {{at("2001:db8::"), 32}}});
  EXPECT_EQ(find({.destination = at("10.1.0.1", 1)}), 0);
  EXPECT_EQ(find({.transport_protocol = "tls"}), 1);
  EXPECT_EQ(find({}), -1);  // 10.0.0.0/24 was chosen, and wants TLS
  EXPECT_EQ(find({.destination = at("2001:db8::7", 1)}), 2);
}

TEST_F(ChainMatcherTest, ServerNames) {
  add({.server_names = {"a.example.com", "other.test"}});
  add({.server_names = {"*.example.com"}});
  add({.server_names = {"*.b.example.com"}});
  add({});
  const auto named = [&](const char* name) { return find({.server_name = name}); };
  EXPECT_EQ(named("a.example.com"), 0);
  EXPECT_EQ(named("x.a.example.com"), 1);
  EXPECT_EQ(named("x.b.example.com"), 2);
  EXPECT_EQ(named("b.example.com"), 1);
  EXPECT_EQ(named("example.com"), 3);
  EXPECT_EQ(named(""), 3);
  EXPECT_EQ(named("."), 3);
}

TEST_F(ChainMatcherTest, ClientsOrderOfProtocolsDecides) {
  add({.application_protocols = {"http/1.1", "http/1.0"}});
  add({.application_protocols = {"h2"}});
  EXPECT_EQ(find({.protocols = {"h2", "http/1.1"}}), 1);
  EXPECT_EQ(find({.protocols = {"foo", "http/1.0", "h2"}}), 0);
  EXPECT_EQ(find({.protocols = {"foo", ""}}), -1);
}

TEST_F(ChainMatcherTest, SourceTypes) {
  add({.source_type = SourceType::kSameIpOrLoopback});
  add({.source_type = SourceType::kExternal});
  EXPECT_EQ(find({}), 1);
  EXPECT_EQ(find({.source = at("127.0.0.1", 1)}), 0);
  EXPECT_EQ(find({.source = at("::1", 1)}), 0);
  EXPECT_EQ(find({.source = at("127.0.0.9", 1)}), 1);
  EXPECT_EQ(find({.source = at("10.0.0.1", 1)}), 0);
}

TEST_F(ChainMatcherTest, SourcesAndPorts) {
  add({.direct_sources = {{at("192.0.2.0"), 24}}, .sources = {{at("198.51.100.0"), 24}}, .source_ports = {7, 8}});
  add({.direct_sources = {{at("192.0.2.0"), 24}}, .sources = {{at("198.51.100.0"), 24}}});
  EXPECT_EQ(find({.source = at("198.51.100.1", 7)}), 0);
  EXPECT_EQ(find({.source = at("198.51.100.1", 9)}), 1);
  EXPECT_EQ(find({.direct = at("203.0.113.1", 1), .source = at("198.51.100.1", 7)}), -1);
}

TEST_F(ChainMatcherTest, TheSameMatchTwice) {
  EXPECT_EQ(add({.server_names = {"a", "b"}, .source_ports = {1, 2}}), std::nullopt);
  EXPECT_EQ(add({.server_names = {"b"}, .source_ports = {3}}), std::nullopt);
  EXPECT_EQ(add({.server_names = {"c", "b"}, .source_ports = {2}}), 0u);
  EXPECT_EQ(add({}), std::nullopt);
  EXPECT_EQ(add({}), 3u);
}

TEST_F(ChainMatcherTest, TellsWhatWonOfEachCriterion) {
  add({.destinations = {{at("10.0.0.0"), 8}}, .server_names = {"*.example.com"}});
  add({.destinations = {{at("10.0.0.0"), 8}}, .server_names = {"a.example.com"}, .source_ports = {7}});
  add({});
  const auto decide = [&](const Client& client) {
    std::vector<ChainDecision> decisions;
    (void)matcher_.find({client.destination, client.server_name, client.transport_protocol, client.protocols,
                         client.direct, client.source},
                        &decisions);
    return decisions;
  };
  const auto won = decide({.server_name = "b.example.com"});
  ASSERT_EQ(won.size(), 9u);
  EXPECT_EQ(won[1].criterion, "prefix_ranges");
  EXPECT_EQ(won[1].value, "10.0.0.0/8");
  EXPECT_FALSE(won[1].alone);
  EXPECT_EQ(won[2].value, "*.example.com");
  EXPECT_TRUE(won[8].alone && won[8].fits && won[8].value.empty());
  const auto lost = decide({.server_name = "a.example.com", .source = at("192.0.2.1", 8)});
  EXPECT_EQ(lost.back().criterion, "source_ports");
  EXPECT_FALSE(lost.back().fits);
  EXPECT_EQ(decide({.destination = at("192.0.2.9", 1)})[1].value, "");
}

}  // namespace
}  // namespace sluice::model
