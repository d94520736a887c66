// The traffic of the campaign, over HTTP/2: clients of HTTP/1 -> the proxy -> HTTP/2 -> the same proxy again -> HTTP/1
// origins, so that many exchanges share connections on both sides of our codecs, on rough networks. One seed alone:
//
//   SLUICE_SEED=17 build/dev/test/sim/sim_test --gtest_filter=Http2Campaign.*
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "test/sim/sim_invariants.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string chain(uint32_t streams) {
  constexpr std::string_view kListener = R"(
  - name: NAME
    per_connection_buffer_limit_bytes: 32768
    address: {socket_address: {address: 10.0.0.2, port_value: PORT}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: NAME
          stream_idle_timeout: 5s
          http2_protocol_options: {initial_stream_window_size: 65535, initial_connection_window_size: 131072}
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: CLUSTER}}]}]}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router})";
  constexpr std::string_view kCluster = R"(
  - name: NAME
    connect_timeout: 1s
    per_connection_buffer_limit_bytes: 32768
    OPTIONS
    load_assignment:
      cluster_name: NAME
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ADDRESS, port_value: PORT}}}}]}])";
  const auto fill = [](std::string_view from, std::initializer_list<std::pair<std::string_view, std::string>> values) {
    std::string text(from);
    for (const auto& [word, value] : values) {
      for (size_t at; (at = text.find(word)) != std::string::npos;) text.replace(at, word.size(), value);
    }
    return text;
  };
  const std::string http2 =
      cat("typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": "
          "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: "
          "{http2_protocol_options: {initial_stream_window_size: 65535, initial_connection_window_size: 131072, "
          "max_concurrent_streams: ",
          streams, "}}}}");
  return cat(
      "static_resources:\n  listeners:", fill(kListener, {{"NAME", "main"}, {"PORT", "8080"}, {"CLUSTER", "hop"}}),
      fill(kListener, {{"NAME", "inner"}, {"PORT", "8081"}, {"CLUSTER", "origin"}}),
      "\n  clusters:", fill(kCluster, {{"NAME", "hop"}, {"ADDRESS", "10.0.0.2"}, {"PORT", "8081"}, {"OPTIONS", http2}}),
      fill(kCluster, {{"NAME", "origin"}, {"ADDRESS", "10.0.0.19"}, {"PORT", "9000"}, {"OPTIONS", ""}}), "\n");
}

struct Played {
  uint64_t hash = 0;
  uint64_t shared = 0;  // exchanges on HTTP/2 beyond one for each connection
  TrafficClient::Outcomes outcomes;
  std::string violation;
};

Played campaign(uint64_t seed) {
  using stats::ClusterStat;
  using stats::HttpStat;
  SimProxy proxy(seed, chain(seed % 4 == 0 ? 2 : 100), nullptr, filters::builtin(), 1 + seed % 2);
  EXPECT_EQ(proxy.error, "");
  SimMachine origin_machine(proxy.fabric, "10.0.0.19");
  Violations violations(proxy.world);
  TrafficOrigin origin(origin_machine, *net::Address::from_ip("10.0.0.19", 9000), violations);
  stats::Registry& registry = proxy.server->registry();
  const auto main = registry.add_block<HttpStat>("http.main.");
  const auto inner = registry.add_block<HttpStat>("http.inner.");
  const auto hop = registry.add_block<ClusterStat>("cluster.hop.");
  const auto last = registry.add_block<ClusterStat>("cluster.origin.");
  Played run;
  {
    SimRandom random(proxy.world.random().fork());
    proxy.fabric.faults() = SimFaults::rough(random);
    std::vector<std::unique_ptr<TrafficClient>> clients;
    const net::Address address = *net::Address::from_ip("10.0.0.2", 8080);
    for (int i = 0; i < 6; ++i) {
      clients.push_back(std::make_unique<TrafficClient>(proxy.clients, address, SimRandom(random.next()), violations));
      clients.back()->run(5);
    }
    const auto all_done = [&] {
      return std::all_of(clients.begin(), clients.end(), [](auto& c) { return c->done(); });
    };
    proxy.world.run_until(all_done, 120s);
    // The faults end: others are served, also behind a connection that the faults have broken.
    proxy.fabric.faults() = SimFaults();
    proxy.world.run_for(10s);
    TrafficClient& prober = *clients.front();
    const uint64_t whole_before = prober.outcomes().whole;
    prober.probe({Answer::kLength, 42, 200'000, 300'000, 0});
    proxy.world.run_until([&] { return prober.done(); }, 30s);
    violations.expect(prober.outcomes().whole == whole_before + 1, "a request without faults is not answered");
    for (auto& client : clients) {
      client->leave();
      violations.expect(client->outcomes().sum() == client->outcomes().begun,
                        "an exchange without exactly one outcome");
      run.outcomes.whole += client->outcomes().whole;
      run.outcomes.error += client->outcomes().error;
      run.outcomes.cut += client->outcomes().cut;
    }
    proxy.world.run_for(10s);
    for (const auto& block : {main, inner}) {
      violations.expect(registry.value(block, HttpStat::kDownstreamRqActive) == 0, "exchanges are left");
    }
    for (const auto& block : {hop, last}) {
      violations.expect(registry.value(block, ClusterStat::kUpstreamRqActive) == 0, "upstream streams are left");
      violations.expect(registry.value(block, ClusterStat::kUpstreamRqPendingActive) == 0, "requests wait in a pool");
    }
    violations.expect(Invariants::buffered() <= 4 << 20, "buffered bytes are left");
    const uint64_t streams = registry.value(hop, ClusterStat::kUpstreamRqTotal);
    const uint64_t connections = registry.value(hop, ClusterStat::kUpstreamCxHttp2Total);
    run.shared = streams > connections ? streams - connections : 0;
    violations.expect(registry.value(inner, HttpStat::kDownstreamCxHttp1Total) == 0, "the hop spoke HTTP/1");
  }
  for (const auto& block : {main, inner, hop, last}) registry.release_block(block);
  violations.expect(proxy.stop(), "the drained server does not end");
  run.hash = proxy.world.trace_hash();
  run.violation = violations.first();
  return run;
}

TEST(Http2Campaign, ReplaysBySeed) {
  const Played once = campaign(11);
  EXPECT_EQ(campaign(11).hash, once.hash);
  EXPECT_NE(campaign(12).hash, once.hash);
}

TEST(Http2Campaign, HoldsUnderFaults) {
  const char* only = std::getenv("SLUICE_SEED");
  const uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const uint64_t last = only == nullptr ? 100 : first;
  TrafficClient::Outcomes all;
  uint64_t shared = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const Played run = campaign(seed);
    ASSERT_EQ(run.violation, "") << "replay: SLUICE_SEED=" << seed
                                 << " sim_test --gtest_filter=Http2Campaign.HoldsUnderFaults";
    all.whole += run.outcomes.whole;
    all.error += run.outcomes.error;
    all.cut += run.outcomes.cut;
    shared += run.shared;
  }
  if (only == nullptr) {  // the campaign is no use when nothing or everything fails
    EXPECT_GT(all.whole, 400u);
    EXPECT_GT(all.error, 50u);
    EXPECT_GT(all.cut, 50u);
    EXPECT_GT(shared, 500u);
  }
}

}  // namespace
}  // namespace sluice::test
