// A table that names a new cluster comes right behind the cluster: no worker sees it before it has the cluster.
#include "server/fence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kBootstrap = R"(
dynamic_resources:
  cds_config: {path_config_source: {path: /cds.yaml}}
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          rds: {route_config_name: main, config_source: {path_config_source: {path: /rds.yaml}}}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)";

std::string cluster(size_t number) {
  return cat(R"(
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: c)",
             number, R"(
  load_assignment:
    cluster_name: c
    endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9000}}}}]}]
)");
}

// The one that the table still names stays until the next change.
std::string clusters(size_t number) {
  return cat("resources:", number > 0 ? cluster(number - 1) : "", cluster(number));
}

std::string table(size_t number) {
  return cat(R"(
resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: main
  virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: c)",
             number, "}}]}]\n");
}

// Sends a request whenever the one before it was answered. Thread: the simulation's.
class Asker final : public SimTalker {
 public:
  using SimTalker::SimTalker;
  void ask() { send("GET / HTTP/1.1\r\nhost: a\r\n\r\n"); }
  size_t answered = 0;
  std::string failed;

 private:
  void on_received() override {
    if (received_.find("\r\n\r\nhello") != std::string::npos) {
      ++answered;
      received_.clear();
      ask();
    } else if (received_.find("\r\n\r\n") != std::string::npos && !received_.starts_with("HTTP/1.1 200")) {
      failed = received_;
    }
  }
};

TEST(Fence, ATableIsSeenBehindTheClustersThatItNames) {
  log::set_level(log::Level::kWarning);
  SimWorld world(7);
  SimFabric fabric(world);
  SimMachine clients(fabric, "10.0.0.1"), origins(fabric, "10.0.0.9");
  SimOrigin origin(origins, *net::Address::from_ip("10.0.0.9", 9000),
                   [](auto&, auto&) { return "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"; });
  SimPlatform platform(fabric, "10.0.0.2");
  platform.files().write("/cds.yaml", clusters(0));
  platform.files().write("/rds.yaml", table(0));
  const config::Extensions extensions = filters::builtin();
  config::BootstrapOptions source;
  source.yaml = kBootstrap;
  config::CompileOutcome outcome = config::compile_bootstrap(source, extensions, &platform.files());
  ASSERT_TRUE(outcome.bootstrap) << outcome.error_text();
  server::Options options;
  options.concurrency = 3;
  server::Server server(platform, options, std::move(*outcome.bootstrap));
  ASSERT_TRUE(server.start().ok());
  world.run_for(100ms);

  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 12; ++i) {
    askers.push_back(std::make_unique<Asker>(clients.loop, clients.network, clients.slabs,
                                             clients.network.connect(*net::Address::from_ip("10.0.0.2", 8080))));
    askers.back()->ask();
  }
  for (size_t number = 1; number <= 200; ++number) {
    platform.files().write("/cds.yaml", clusters(number));
    const std::string name = cat("c", number);
    ASSERT_TRUE(world.run_until([&] {
      const auto active = server.shared_clusters();
      return std::any_of(active.begin(), active.end(), [&](const auto& one) { return one->plan->name == name; });
    }));
    platform.files().write("/rds.yaml", table(number));
    world.run_for(2ms);
  }
  size_t answered = 0;
  for (const auto& asker : askers) {
    EXPECT_EQ(asker->failed, "");
    answered += asker->answered;
  }
  EXPECT_GT(answered, 1000u);
  askers.clear();
  server.shutdown();
  EXPECT_TRUE(world.run_until([&] { return server.ended(); }, 20s));
}

}  // namespace
}  // namespace sluice::test
