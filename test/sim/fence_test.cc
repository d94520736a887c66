// A table that names a new cluster comes right behind the cluster: no worker sees it before it has the cluster.
#include "server/fence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

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
  SimProxy proxy(
      7,
      cat("node: {id: proxy, cluster: sim}\n"
          "dynamic_resources: {cds_config: {path_config_source: {path: /cds.yaml}}}",
          proxy_that_asks("{route_config_name: main, config_source: {path_config_source: {path: /rds.yaml}}}")),
      [](auto&, auto&) { return "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"; }, filters::builtin(), 3,
      [](SimZone&) {}, {},
      [](SimFiles& files) {
        files.write("/cds.yaml", clusters(0));
        files.write("/rds.yaml", table(0));
      });
  ASSERT_EQ(proxy.error, "");
  proxy.world.run_for(100ms);

  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 12; ++i) {
    SimMachine& clients = proxy.clients;
    askers.push_back(std::make_unique<Asker>(clients.loop, clients.network, clients.slabs,
                                             clients.network.connect(*net::Address::from_ip("10.0.0.2", 8080))));
    askers.back()->ask();
  }
  for (size_t number = 1; number <= 200; ++number) {
    proxy.platform.files().write("/cds.yaml", clusters(number));
    const std::string name = cat("c", number);
    ASSERT_TRUE(proxy.world.run_until([&] {
      const auto active = proxy.server->shared_clusters();
      return std::any_of(active.begin(), active.end(), [&](const auto& one) { return one->plan->name == name; });
    }));
    proxy.platform.files().write("/rds.yaml", table(number));
    proxy.world.run_for(2ms);
  }
  size_t answered = 0;
  for (const auto& asker : askers) {
    EXPECT_EQ(asker->failed, "");
    answered += asker->answered;
  }
  EXPECT_GT(answered, 1000u);
  askers.clear();
  EXPECT_TRUE(proxy.stop());
}

}  // namespace
}  // namespace sluice::test
