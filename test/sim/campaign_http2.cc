// The traffic over HTTP/2: clients of HTTP/1 -> the proxy -> HTTP/2 -> the same proxy again -> HTTP/1 origins, so that
// many exchanges share connections on both sides of our codecs, on rough networks.
#include <algorithm>

#include "base/strings.h"
#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using stats::ClusterStat;
using stats::HttpStat;

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

// Of the two connection managers and the two clusters.
class Counters {
 public:
  explicit Counters(SimProxy& proxy) : registry_(proxy.server->registry()) {}
  ~Counters() {
    for (const stats::BlockId& block : {main_, inner_, hop_, last_}) {
      registry_.release_block(block);
    }
  }
  void expect_quiet(Violations& violations) const {
    for (const stats::BlockId& block : {main_, inner_}) {
      violations.expect(registry_.value(block, HttpStat::kDownstreamRqActive) == 0, "exchanges are left");
    }
    for (const stats::BlockId& block : {hop_, last_}) {
      violations.expect(registry_.value(block, ClusterStat::kUpstreamRqActive) == 0, "upstream streams are left");
      violations.expect(registry_.value(block, ClusterStat::kUpstreamRqPendingActive) == 0, "requests wait in a pool");
    }
    violations.expect(Invariants::buffered() <= 4 << 20, "buffered bytes are left");
    violations.expect(registry_.value(inner_, HttpStat::kDownstreamCxHttp1Total) == 0, "the hop spoke HTTP/1");
    violations.expect(registry_.value(hop_, ClusterStat::kUpstreamRqTotal) >
                          registry_.value(hop_, ClusterStat::kUpstreamCxHttp2Total),
                      "no connection was shared");
  }

 private:
  stats::Registry& registry_;
  const stats::BlockId main_ = registry_.add_block<HttpStat>("http.main.");
  const stats::BlockId inner_ = registry_.add_block<HttpStat>("http.inner.");
  const stats::BlockId hop_ = registry_.add_block<ClusterStat>("cluster.hop.");
  const stats::BlockId last_ = registry_.add_block<ClusterStat>("cluster.origin.");
};

}  // namespace

Played play_http2(uint64_t seed, Trace trace) {
  SimProxy proxy(seed, chain(seed % 4 == 0 ? 2 : 100), nullptr, filters::builtin(), 1 + seed % 2);
  SLUICE_CHECK(proxy.error.empty());
  if (trace == Trace::kPrinted) {
    proxy.world.print_trace();
  }
  proxy.world.buggify();
  SimMachine origin_machine(proxy.fabric, kStageOrigins[0]);
  Violations violations(proxy.world);
  Ledger ledger(violations);
  TrafficOrigin origin(origin_machine, *net::Address::from_ip(kStageOrigins[0], kStagePort), ledger);
  const MonotonicTime began = proxy.world.now();
  Played run;
  {
    const Counters counters(proxy);
    SimRandom random(proxy.world.random().fork());
    proxy.fabric.faults() = SimFaults::rough(random);
    std::vector<std::unique_ptr<TrafficClient>> clients;
    for (int i = 0; i < 6; ++i) {
      clients.push_back(std::make_unique<TrafficClient>(proxy.clients, kStageProxy, SimRandom(random.next()), ledger));
      clients.back()->run(5);
    }
    const auto all_done = [&] {
      return std::all_of(clients.begin(), clients.end(), [](auto& client) { return client->done(); });
    };
    proxy.world.run_until(all_done, 120s);
    // The faults end: others are served, also behind a connection that the faults have broken.
    proxy.fabric.faults() = SimFaults();
    origin.behave();
    proxy.world.run_for(10s);
    for (auto& client : clients) {
      client->behave();
      client->run(3, kSureAnswers);
    }
    violations.expect(proxy.world.run_until(all_done, 60s), "without faults an answer does not come");
    for (auto& client : clients) {
      client->leave();
      run.outcomes.add(client->outcomes());
    }
    violations.expect(run.outcomes.sum() == run.outcomes.begun, "an exchange without exactly one outcome");
    proxy.world.run_for(10s);
    counters.expect_quiet(violations);
  }
  violations.expect(proxy.stop(), "the drained server does not end");
  run.take(proxy.world, began, violations);
  return run;
}

}  // namespace sluice::test
