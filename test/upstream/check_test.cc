// Health checks on connections of their own, to peers in the simulation. What they send is recorded in the behaviour
// cases.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/upstream/call_world.h"
#include "test/upstream/sim_grpc_peer.h"
#include "upstream/health_checkers.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

const net::Address kChecked = *net::Address::from_ip("10.0.0.9", 9000);

struct CheckTest : testing::Test {
  void start(model::HealthCheckPlan plan) {
    plan.timeout = 200ms;
    plan.interval = plan.no_traffic_interval = plan.no_traffic_healthy_interval = 1s;
    plan.unhealthy_interval = plan.unhealthy_edge_interval = plan.healthy_edge_interval = 1s;
    auto cluster = std::make_shared<model::ClusterPlan>(*world.shared->plan);
    cluster->name = "checked";
    cluster->health_checks.edit().push_back(std::make_shared<const model::HealthCheckPlan>(plan));
    shared = std::make_shared<upstream::ClusterShared>(cluster, world.registry, world.cells);
    checkers = std::make_unique<upstream::HealthCheckers>(*shared, nullptr, world.local);
  }
  uint64_t stat(std::string_view name) {
    return world.registry.value(cat("cluster.checked.health_check.", name)).value_or(0);
  }
  CallWorld world{model::UpstreamProtocol::kHttp2};
  std::unique_ptr<SimGrpcPeer> peer = std::make_unique<SimGrpcPeer>(world.peers, kChecked);
  std::shared_ptr<upstream::ClusterShared> shared;
  std::unique_ptr<upstream::HealthCheckers> checkers;
};

TEST_F(CheckTest, Http2KeepsItsConnectionUntilAGoaway) {
  model::HealthCheckPlan plan;
  plan.http.emplace();
  plan.http->path = "/well";
  plan.http->http2 = true;
  start(plan);
  world.world.run_for(2500ms);
  EXPECT_EQ(stat("success"), 3u);
  EXPECT_EQ(shared->hosts()->counts.healthy, 1u);
  EXPECT_EQ(peer->requests.back()->connection, 1u);
  EXPECT_EQ(peer->requests.back()->get("user-agent"), "Envoy/HC");
  peer->goaway();
  world.world.run_for(2s);
  EXPECT_EQ(stat("failure"), 0u);
  EXPECT_EQ(peer->requests.back()->connection, 2u);
}

TEST_F(CheckTest, Http2SeesStatusesTimeoutsAndLostConnections) {
  model::HealthCheckPlan plan;
  plan.http.emplace();
  plan.http->path = "/http/503";
  plan.http->http2 = true;
  start(plan);
  world.world.run_for(500ms);
  EXPECT_EQ(stat("failure"), 1u);
  EXPECT_EQ(stat("network_failure"), 0u);
  checkers.reset();
  plan.http->path = "/silent";
  start(plan);
  world.world.run_for(500ms);
  EXPECT_EQ(stat("network_failure"), 1u);
  checkers.reset();
  plan.http->path = "/reset";
  start(plan);
  world.world.run_for(500ms);
  EXPECT_EQ(stat("network_failure"), 1u);
  checkers.reset();
  peer->stop();
  start(plan);
  world.world.run_for(500ms);
  EXPECT_EQ(stat("network_failure"), 1u);
  EXPECT_EQ(shared->hosts()->counts.healthy, 0u);
}

TEST_F(CheckTest, GrpcNeedsAStatusAndServing) {
  model::HealthCheckPlan plan;
  plan.grpc.emplace();
  start(plan);
  world.world.run_for(500ms);
  EXPECT_EQ(stat("failure"), 1u);  // the peer answers without trailers
  EXPECT_EQ(peer->requests.at(0)->path, "/grpc.health.v1.Health/Check");
  EXPECT_EQ(peer->requests.at(0)->get("grpc-timeout"), "200m");
}

}  // namespace
}  // namespace sluice::test
