// How long after its arrival what a control plane sent is in force on every worker, as /xds/history tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_control_plane.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

// From its arrival at main there is one turn of each worker, and one of main for what they answer. Nothing else may be
// between: no timer, no poll, no answer that goes first.
constexpr int64_t kTwoTurnsUs = (2 * SimLoop::kLongestDelay) / 1us;
constexpr size_t kClusters = 100;

std::string eds_clusters() {
  std::string out = "resources:\n";
  for (size_t i = 0; i < kClusters; ++i) {
    append(out, "- {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: c", i,
           ", type: EDS, eds_cluster_config: {eds_config: {resource_api_version: V3, ads: {}}}}\n");
  }
  return out;
}

std::string three_endpoints(size_t first, size_t end, uint64_t port) {
  std::string out = "resources:\n";
  for (size_t i = first; i < end; ++i) {
    append(out, "- {\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: c", i,
           ", endpoints: [{lb_endpoints: [");
    for (int host = 1; host <= 3; ++host) {
      append(out, host == 1 ? "" : ", ", "{endpoint: {address: {socket_address: {address: 10.0.1.", host,
             ", port_value: ", port, "}}}}");
    }
    out += "]}]}\n";
  }
  return out;
}

class InForce : public testing::TestWithParam<const char*> {};

// The number behind `key` in the newest push; nothing when it has none.
std::optional<int64_t> of_newest_push(const std::string& history, std::string_view key) {
  const std::string push = history.substr(0, history.find('\n', history.find("\"number\"")));
  const size_t found = push.find(cat("\"", key, "\":"));
  return found == std::string::npos
             ? std::nullopt
             : parse_number<int64_t>(push.substr(found + key.size() + 3)
                                         .substr(0, push.substr(found + key.size() + 3).find_first_of(",}")));
}

TEST_P(InForce, OneChangedAssignmentTakesTwoTurns) {
  constexpr uint32_t kWorkers = 3;
  const config::Extensions extensions = filters::builtin();
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimProxy proxy(seed, proxy_of_control_plane(GetParam()), nullptr, extensions, kWorkers);
    ASSERT_EQ(proxy.error, "");
    SimMachine machine(proxy.fabric, "10.0.0.30");
    SimControlPlane plane(machine, *net::Address::from_ip("10.0.0.30", 18000));
    plane.write("clusters.yaml", eds_clusters());
    plane.write("others.yaml", three_endpoints(1, kClusters, 9000));
    plane.write("one.yaml", three_endpoints(0, 1, 9000));
    ASSERT_EQ(plane.read(), "");
    plane.start();
    ASSERT_TRUE(proxy.world.run_until(
        [&] { return plane.in_force() && proxy.server->state() == server::admin::ServerState::kLive; }));
    // Before the workers ran nothing was late for them.
    EXPECT_THAT(proxy.server->xds_history(), testing::Not(testing::HasSubstr("in_force_after_us")));
    for (uint64_t port = 9001; port <= 9020; ++port) {
      plane.write("one.yaml", three_endpoints(0, 1, port));
      ASSERT_EQ(plane.read(), "");
      ASSERT_TRUE(proxy.world.run_until([&] { return plane.in_force(); }));
      proxy.world.run_for(1ms);
      const std::string history = proxy.server->xds_history();
      ASSERT_EQ(of_newest_push(history, "changes"), 1) << history.substr(0, 1000);
      const std::optional<int64_t> took = of_newest_push(history, "in_force_after_us");
      ASSERT_TRUE(took) << history.substr(0, 1000);
      EXPECT_LE(*took, kTwoTurnsUs) << seed;
    }
    plane.stop();
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, InForce, testing::Values("GRPC", "DELTA_GRPC"));

}  // namespace
}  // namespace sluice::test
