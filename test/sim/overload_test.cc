// The overload manager: a limit of connections, and actions by the pressure that a file says.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kOverload = R"(
overload_manager:
  refresh_interval: 0.1s
  resource_monitors:
  - name: envoy.resource_monitors.global_downstream_max_connections
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      max_active_downstream_connections: 2
  - name: envoy.resource_monitors.injected_resource
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig
      filename: /pressure
  actions:
  - name: envoy.overload_actions.disable_http_keepalive
    triggers: [{name: envoy.resource_monitors.injected_resource, threshold: {value: 0.5}}]
  - name: envoy.overload_actions.stop_accepting_requests
    triggers: [{name: envoy.resource_monitors.injected_resource, threshold: {value: 0.8}}]
  - name: envoy.overload_actions.reject_incoming_connections
    triggers: [{name: envoy.resource_monitors.injected_resource, scaled: {scaling_threshold: 0.8, saturation_threshold: 0.9}}]
  - name: envoy.overload_actions.stop_accepting_connections
    triggers: [{name: envoy.resource_monitors.injected_resource, threshold: {value: 1}}]
)";

class OverloadTest : public testing::Test {
 protected:
  explicit OverloadTest(std::string_view of_listener = "")
      : proxy_(1, yaml(of_listener), [](auto&, auto&) { return std::string(); }) {
    EXPECT_EQ(proxy_.error, "");
  }
  ~OverloadTest() override { EXPECT_TRUE(proxy_.stop()); }
  static std::string yaml(std::string_view of_listener) {
    std::string out = cat(kPlainProxy, kOverload);
    const std::string_view name = "  - name: main\n";
    return out.replace(out.find(name), name.size(), cat(name, of_listener));
  }

  void press(std::string pressure) {
    proxy_.platform.files().write("/pressure", std::move(pressure));
    proxy_.world.run_for(300ms);
  }
  std::string ask(SimTalker& client) {
    const size_t from = client.received().size();
    client.send("GET /direct HTTP/1.1\r\nhost: a\r\n\r\n");
    proxy_.world.run_until([&] { return client.received().size() > from || client.ended(); }, 500ms);
    return client.received().substr(from);
  }
  uint64_t stat(std::string_view name) { return proxy_.server->registry().value(name).value_or(999'999); }

  SimProxy proxy_;
};

TEST_F(OverloadTest, ConnectionsAboveTheLimitAreClosed) {
  auto one = proxy_.connect();
  auto two = proxy_.connect();
  EXPECT_NE(ask(*one).find("hello"), std::string::npos);
  EXPECT_NE(ask(*two).find("hello"), std::string::npos);
  auto three = proxy_.connect();
  EXPECT_EQ(ask(*three), "");
  EXPECT_TRUE(three->ended());
  EXPECT_EQ(stat("listener.10.0.0.2_8080.downstream_global_cx_overflow"), 1u);
  EXPECT_EQ(stat("listener.10.0.0.2_8080.downstream_cx_overflow"), 0u);
  EXPECT_EQ(stat("listener.10.0.0.2_8080.downstream_cx_total"), 2u);
  proxy_.world.run_for(200ms);
  EXPECT_EQ(stat("overload.envoy.resource_monitors.global_downstream_max_connections.pressure"), 100u);
  one->close();
  proxy_.world.run_for(100ms);
  auto four = proxy_.connect();
  EXPECT_NE(ask(*four).find("hello"), std::string::npos);
}

TEST_F(OverloadTest, ActionsByPressure) {
  auto early = proxy_.connect();
  press("0.4");
  EXPECT_EQ(stat("overload.envoy.resource_monitors.injected_resource.pressure"), 40u);
  EXPECT_EQ(ask(*early).find("connection: close"), std::string::npos);
  press("0.5");
  EXPECT_EQ(stat("overload.envoy.overload_actions.disable_http_keepalive.active"), 1u);
  EXPECT_NE(ask(*early).find("connection: close"), std::string::npos);
  EXPECT_EQ(stat("http.main.downstream_cx_overload_disable_keepalive"), 1u);
  press("0.8");
  EXPECT_EQ(stat("overload.envoy.overload_actions.reject_incoming_connections.scale_percent"), 0u);
  auto second = proxy_.connect();
  const std::string refused = ask(*second);
  EXPECT_NE(refused.find("503 Service Unavailable"), std::string::npos) << refused;
  EXPECT_NE(refused.find("envoy overloaded"), std::string::npos);
  EXPECT_EQ(stat("http.main.downstream_rq_overload_close"), 1u);
  press("0.85\n");
  EXPECT_EQ(stat("overload.envoy.overload_actions.reject_incoming_connections.scale_percent"), 49u);
  EXPECT_EQ(stat("overload.envoy.overload_actions.reject_incoming_connections.active"), 0u);
  early->close();
  second->close();
  press("0.95");
  auto third = proxy_.connect();
  EXPECT_EQ(ask(*third), "");
  EXPECT_TRUE(third->ended());
  EXPECT_GE(stat("listener.10.0.0.2_8080.downstream_cx_overload_reject"), 1u);
  press("1");
  auto waiting = proxy_.connect();
  EXPECT_EQ(ask(*waiting), "");
  EXPECT_FALSE(waiting->ended());  // in the queue
  press("nonsense");
  EXPECT_GE(stat("overload.envoy.resource_monitors.injected_resource.failed_updates"), 1u);
  EXPECT_EQ(stat("overload.envoy.resource_monitors.injected_resource.pressure"), 100u);
  press("0");
  EXPECT_NE(waiting->received().find("hello"), std::string::npos);
}

class BypassTest : public OverloadTest {
 protected:
  BypassTest() : OverloadTest("    ignore_global_conn_limit: true\n    bypass_overload_manager: true\n") {}
};

TEST_F(BypassTest, AListenerMayBeExempt) {
  press("1");
  std::vector<std::unique_ptr<SimTalker>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(proxy_.connect());
    const std::string answer = ask(*clients.back());
    EXPECT_NE(answer.find("hello"), std::string::npos);
    EXPECT_EQ(answer.find("connection: close"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::test
