// A whole proxy whose access logs go to a collector, in the simulation: of requests, tries, and connections; and what
// it still says when it ends.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "exporters/builtin.h"
#include "test/sim/sim_proxy.h"
#include "test/upstream/sim_grpc_peer.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

const net::Address kCollector = *net::Address::from_ip("10.0.0.19", 9411);

config::Extensions all() {
  config::Extensions extensions = filters::builtin();
  exporters::add_to(extensions);
  return extensions;
}

std::string als(std::string_view kind, std::string_view name, std::string_view more = {},
                std::string_view common = {}) {
  return cat("{name: ", name,
             ", typed_config: {\"@type\": type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.", kind,
             "GrpcAccessLogConfig, ", more, "common_config: {", common, "log_name: ", name,
             ", transport_api_version: V3, grpc_service: {envoy_grpc: {cluster_name: collector}}}}}");
}

std::string logged() {
  std::string yaml(kPlainProxy);
  const auto put = [&yaml](std::string_view before, const std::string& text) { yaml.insert(yaml.find(before), text); };
  put("    filter_chains:", cat("    access_log: [", als("Tcp", "connections"), "]\n"));
  put("          - name: envoy.access_loggers.file",
      cat("          - ", als("Http", "requests"), "\n          - ",
          als("Http", "requests", "additional_request_headers_to_log: [x-kind], ",
              "custom_tags: [{tag: of-the-second, literal: {value: v}}], "),
          "\n"));
  put("  clusters:", cat("              upstream_log: [", als("Http", "tries"), "]\n"));  // the router stands there
  return cat(yaml,
             "  - name: collector\n    connect_timeout: 1s\n    typed_extension_protocol_options: "
             "{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": "
             "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: "
             "{http2_protocol_options: {}}}}\n    load_assignment:\n      cluster_name: collector\n      endpoints:\n"
             "      - lb_endpoints:\n        - endpoint: {address: {socket_address: {address: 10.0.0.19, port_value: "
             "9411}}}\n");
}

size_t count(std::string_view text, std::string_view piece) {
  size_t out = 0;
  for (size_t at = 0; (at = text.find(piece, at)) != std::string_view::npos; at += piece.size()) ++out;
  return out;
}

struct Logging : testing::Test {
  Logging()
      : proxy(
            3, logged(),
            [](const std::string&, const std::string&) {
              return std::string("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            },
            all()),
        machine(proxy.fabric, "10.0.0.19") {}
  void get(SimTalker& talker, int times) {
    for (int i = 0; i < times; ++i) {
      const size_t before = talker.received().size();
      talker.send("GET /a HTTP/1.1\r\nhost: x.test\r\n\r\n");
      ASSERT_TRUE(proxy.world.run_until(
          [&] { return talker.received().ends_with("\r\n\r\nok") && talker.received().size() > before; }, 5s));
    }
  }
  // All that came under a name of a log.
  std::string said(const SimGrpcPeer& collector, std::string_view name) {
    std::string out;
    const std::string log_name = cat("\x12", std::string(1, static_cast<char>(name.size())), name);
    for (const auto& request : collector.requests) {
      if (request->body.find(log_name) != std::string::npos) out += request->body;
    }
    return out;
  }

  SimProxy proxy;
  SimMachine machine;
};

TEST_F(Logging, RequestsTriesAndConnections) {
  ASSERT_EQ(proxy.error, "");
  SimGrpcPeer collector(machine, kCollector);
  auto talker = proxy.connect();
  get(*talker, 7);
  talker.reset();
  proxy.world.run_for(1500ms);
  EXPECT_EQ(collector.requests.size(), 3u);  // both logs of requests share a stream
  EXPECT_EQ(count(said(collector, "requests"), "via_upstream"), 14u);
  EXPECT_EQ(count(said(collector, "requests"), "of-the-second"), 7u);
  EXPECT_EQ(count(said(collector, "tries"), "/a"), 7u);
  EXPECT_EQ(count(said(collector, "connections"), "10.0.0.1"), 2u);  // remote and direct remote
  EXPECT_EQ(proxy.server->registry().value("access_logs.grpc_access_log.logs_written"), 22u);
  EXPECT_TRUE(proxy.stop());
}

TEST_F(Logging, TheLastEntriesOfAProcessArrive) {
  ASSERT_EQ(proxy.error, "");
  SimGrpcPeer collector(machine, kCollector);
  auto talker = proxy.connect();
  get(*talker, 1);
  proxy.world.run_for(1500ms);  // the streams are open
  get(*talker, 3);
  talker.reset();
  EXPECT_TRUE(proxy.stop());
  proxy.world.run_for(100ms);
  EXPECT_EQ(count(said(collector, "requests"), "via_upstream"), 8u);
  EXPECT_EQ(count(said(collector, "connections"), "10.0.0.1"), 2u);
}

}  // namespace
}  // namespace sluice::test
