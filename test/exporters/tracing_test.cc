// Spans on their way to collectors, in the simulation: they arrive, and a collector that is dead costs nothing but
// counters. What spans say is recorded in the behaviour cases.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/strings.h"
#include "exporters/builtin.h"
#include "test/sim/sim_proxy.h"
#include "test/upstream/sim_grpc_peer.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

const net::Address kTraceCollector = *net::Address::from_ip("10.0.0.19", 9411);

config::Extensions with_tracers() {
  config::Extensions extensions = filters::builtin();
  exporters::add_to(extensions);
  return extensions;
}

std::string traced(std::string_view provider, std::string_view cluster_options) {
  const std::string tracing =
      cat("          stat_prefix: main\n          tracing:\n            provider: ", provider, "\n");
  std::string yaml(kPlainProxy);
  const std::string_view prefix = "          stat_prefix: main\n";
  yaml.replace(yaml.find(prefix), prefix.size(), tracing);
  return cat(yaml, "\n  - name: collector\n    connect_timeout: 1s\n", cluster_options,
             "    load_assignment:\n      cluster_name: collector\n      endpoints:\n      - lb_endpoints:\n"
             "        - endpoint: {address: {socket_address: {address: 10.0.0.19, port_value: 9411}}}\n");
}

std::string zipkin() {
  return traced(
      "{name: z, typed_config: {\"@type\": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: "
      "collector, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON}}",
      "");
}

struct World {
  explicit World(const std::string& yaml)
      : proxy(
            3, yaml,
            [](const std::string& head, const std::string&) {
              EXPECT_NE(head.find("\r\nx-request-id: "), std::string::npos);
              return std::string("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            },
            with_tracers()),
        machine(proxy.fabric, "10.0.0.19") {}
  void get(int count) {
    auto talker = proxy.connect();
    for (int i = 0; i < count; ++i) {
      const size_t before = talker->received().size();
      talker->send("GET /a HTTP/1.1\r\nhost: x.test\r\n\r\n");
      ASSERT_TRUE(proxy.world.run_until(
          [&] { return talker->received().ends_with("\r\n\r\nok") && talker->received().size() > before; }, 5s));
    }
  }
  uint64_t stat(std::string_view name) { return proxy.server->registry().value(cat("tracing.", name)).value_or(0); }

  SimProxy proxy;
  SimMachine machine;
};

TEST(Zipkin, SendsBatchesAndTheRestInTime) {
  World world(zipkin());
  ASSERT_EQ(world.proxy.error, "");
  std::vector<std::string> bodies;
  SimOrigin collector(world.machine, kTraceCollector, [&](const std::string& head, const std::string&) {
    bodies.push_back(head);
    return std::string("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
  });
  world.get(7);
  world.proxy.world.run_for(100ms);
  EXPECT_EQ(world.stat("zipkin.spans_sent"), 5u);
  world.proxy.world.run_for(5s);
  EXPECT_EQ(world.stat("zipkin.spans_sent"), 7u);
  EXPECT_EQ(world.stat("zipkin.timer_flushed"), 1u);
  EXPECT_EQ(world.proxy.server->registry().value("http.main.tracing.random_sampling"), 7u);
  EXPECT_TRUE(world.proxy.stop());
}

TEST(Zipkin, ADeadCollectorCostsCounters) {
  World world(zipkin());
  ASSERT_EQ(world.proxy.error, "");
  world.proxy.fabric.set_reach(kTraceCollector, SimReach::kBlackHole);
  world.get(500);
  world.proxy.world.run_for(20s);
  EXPECT_EQ(world.stat("zipkin.spans_sent"), 500u);
  EXPECT_EQ(world.stat("zipkin.reports_sent"), 0u);
  EXPECT_EQ(world.stat("zipkin.reports_failed") + world.stat("zipkin.reports_dropped"), 100u);
  EXPECT_GT(world.stat("zipkin.reports_dropped"), 0u);  // no more than so many wait
  EXPECT_TRUE(world.proxy.stop());
}

TEST(OpenTelemetry, SpeaksGrpc) {
  World world(
      traced("{name: o, typed_config: {\"@type\": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, "
             "service_name: front, grpc_service: {envoy_grpc: {cluster_name: collector}}}}",
             "    typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
             "{\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, "
             "explicit_http_config: {http2_protocol_options: {}}}}\n"));
  ASSERT_EQ(world.proxy.error, "");
  SimGrpcPeer collector(world.machine, kTraceCollector);
  world.get(5);
  world.proxy.world.run_until([&] { return !collector.requests.empty() && collector.requests[0]->ended; }, 5s);
  ASSERT_EQ(collector.requests.size(), 1u);
  const SimGrpcPeer::Request& request = *collector.requests[0];
  EXPECT_EQ(request.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(request.get("content-type"), "application/grpc");
  EXPECT_NE(request.body.find("service.name\x12\x07\n\x05"
                              "front"),
            std::string::npos);
  EXPECT_NE(request.body.find("http.url\x12\x11\n\x0f"
                              "http://x.test/a"),
            std::string::npos);
  EXPECT_EQ(world.stat("opentelemetry.spans_sent"), 5u);
  EXPECT_TRUE(world.proxy.stop());
}

}  // namespace
}  // namespace sluice::test
