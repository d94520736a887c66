// Retries, outlier detection and health checks in a whole proxy, in virtual time: what they do over seconds and
// minutes, and what they must never do.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

const net::Address kSecond = *net::Address::from_ip("10.0.0.9", 9001);

std::string answer_of(int status) { return cat("HTTP/1.1 ", status, " x\r\ncontent-length: 2\r\n\r\nok"); }

SimOrigin::Respond always(int status) {
  return [status](const std::string&, const std::string&) { return answer_of(status); };
}

class Resilience : public ::testing::Test {
 protected:
  // `route` and `cluster`: further fields, in flow style with a comma in front, or lines of the cluster.
  void start(std::string_view route, std::string_view cluster, SimOrigin::Respond respond, uint64_t seed = 3) {
    std::string yaml(kPlainProxy);
    replace(yaml, "{cluster: origin}", cat("{cluster: origin", route, "}"));
    replace(yaml, "connect_timeout: 1s\n", cat("connect_timeout: 1s\n", cluster));
    proxy = std::make_unique<SimProxy>(seed, yaml, std::move(respond));
    ASSERT_EQ(proxy->error, "");
  }
  // A second endpoint, on port 9001.
  static std::string two_hosts() {
    return "        - endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9001}}}\n";
  }
  static void replace(std::string& text, std::string_view what, std::string_view with) {
    const size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
  }
  void add_host(std::string_view route, std::string_view cluster, SimOrigin::Respond first, SimOrigin::Respond second) {
    std::string yaml(kPlainProxy);
    yaml += two_hosts();
    replace(yaml, "{cluster: origin}", cat("{cluster: origin", route, "}"));
    replace(yaml, "connect_timeout: 1s\n", cat("connect_timeout: 1s\n", cluster));
    proxy = std::make_unique<SimProxy>(3, yaml, std::move(first));
    ASSERT_EQ(proxy->error, "");
    other = std::make_unique<SimOrigin>(proxy->origins, kSecond, std::move(second));
  }
  void TearDown() override {
    talkers.clear();
    if (proxy != nullptr) {
      EXPECT_TRUE(proxy->stop());
    }
  }

  // The status of one request on a connection of its own.
  std::string ask(std::string_view path = "/", Duration limit = 60s) {
    SimTalker& talker = send(path);
    proxy->world.run_until([&] { return talker.received().find("\r\n\r\n") != std::string::npos; }, limit);
    const std::string status = talker.received().substr(0, 12);
    talkers.clear();
    return status.size() == 12 ? status.substr(9) : "none";
  }
  SimTalker& send(std::string_view path) {
    talkers.push_back(proxy->connect());
    talkers.back()->send(cat("GET ", path, " HTTP/1.1\r\nhost: a\r\n\r\n"));
    return *talkers.back();
  }
  uint64_t stat(std::string_view name) {
    return proxy->server->registry().value(cat("cluster.origin.", name)).value_or(999'999);
  }

  std::unique_ptr<SimProxy> proxy;
  std::unique_ptr<SimOrigin> other;
  std::vector<std::unique_ptr<SimTalker>> talkers;
};

constexpr std::string_view kRetry = ", retry_policy: {retry_on: 5xx, num_retries: 3}";

TEST_F(Resilience, ARetryStormStaysInItsBudget) {
  start(
      kRetry,
      "    circuit_breakers: {thresholds: [{retry_budget: {budget_percent: {value: 20}, min_retry_concurrency: 1}}]}\n",
      always(503));
  constexpr int kRequests = 500;
  for (int i = 0; i < kRequests; ++i) {
    send(cat("/", i));
    if (i % 20 == 19) {
      proxy->world.run_for(100ms);
    }
  }
  proxy->world.run_for(30s);
  EXPECT_GE(proxy->origin.requests(), static_cast<uint64_t>(kRequests));
  EXPECT_LE(proxy->origin.requests(), static_cast<uint64_t>(kRequests * 1.2));
  EXPECT_GT(stat("upstream_rq_retry_overflow"), 0u);
  proxy->server->refresh_stats();
  EXPECT_EQ(stat("circuit_breakers.default.rq_retry_open"), 0u);
}

TEST_F(Resilience, WithoutABudgetThreeRetriesMayRunAtOnce) {
  start(kRetry, "", always(503));
  EXPECT_EQ(ask(), "503");
  EXPECT_EQ(proxy->origin.requests(), 4u);
  EXPECT_EQ(stat("upstream_rq_retry"), 3u);
  EXPECT_EQ(stat("upstream_rq_retry_limit_exceeded"), 1u);
}

TEST_F(Resilience, AResponseThatHasBegunIsNeverTriedAgain) {
  start(", retry_policy: {retry_on: \"5xx,reset\", num_retries: 3}", "", [](const std::string&, const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this");
  });
  SimTalker& talker = send("/");
  ASSERT_TRUE(proxy->world.run_until([&] { return talker.received().find("only this") != std::string::npos; }, 5s));
  proxy->world.run_for(16s);  // the route's timeout ends it
  EXPECT_TRUE(talker.ended());
  EXPECT_EQ(proxy->origin.requests(), 1u);
}

TEST_F(Resilience, BackOffGrowsAndKeepsItsPlaces) {
  start(
      ", timeout: 120s, retry_policy: {retry_on: 5xx, num_retries: 4, retry_back_off: {base_interval: 1s, "
      "max_interval: 4s}}",
      "", always(500));
  const MonotonicTime began = proxy->world.now();
  EXPECT_EQ(ask("/", 60s), "500");
  // At most 1 + 3 + 4 + 4 seconds, and it would be a strange seed that waits for nothing.
  const auto took = to_ms(proxy->world.now() - began);
  EXPECT_GE(took, 100);
  EXPECT_LE(took, 12'100);
  EXPECT_EQ(proxy->origin.requests(), 5u);
}

TEST_F(Resilience, AClientThatGoesDuringTheBackOffEndsIt) {
  start(", retry_policy: {retry_on: 5xx, num_retries: 4, retry_back_off: {base_interval: 10s, max_interval: 10s}}", "",
        always(500));
  SimTalker& talker = send("/");
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("upstream_rq_retry") == 1; }, 5s));
  talker.close(net::CloseHow::kReset);
  proxy->world.run_for(60s);
  EXPECT_EQ(proxy->origin.requests(), 1u);
}

TEST_F(Resilience, AnOutlierGoesForALongerTimeEachTimeAndComesBack) {
  add_host(
      "",
      "    common_lb_config: {healthy_panic_threshold: {value: 0}}\n"
      "    outlier_detection: {consecutive_5xx: 2, interval: 1s, base_ejection_time: 10s, max_ejection_percent: 50}\n",
      always(200), always(500));
  const auto round = [&] {
    for (int i = 0; i < 8; ++i) {
      ask();
    }
  };
  round();
  EXPECT_EQ(stat("outlier_detection.ejections_active"), 1u);
  EXPECT_EQ(stat("membership_healthy"), 1u);
  const uint64_t before = other->requests();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(), "200");
  }
  EXPECT_EQ(other->requests(), before);
  proxy->world.run_for(9s);
  EXPECT_EQ(stat("outlier_detection.ejections_active"), 1u);
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("outlier_detection.ejections_active") == 0; }, 3s));
  round();  // bad again at once, before an interval could forgive it: now for 20 s
  EXPECT_EQ(stat("outlier_detection.ejections_active"), 1u);
  proxy->world.run_for(15s);
  EXPECT_EQ(stat("outlier_detection.ejections_active"), 1u);
  proxy->world.run_for(7s);
  EXPECT_EQ(stat("outlier_detection.ejections_active"), 0u);
  EXPECT_EQ(stat("outlier_detection.ejections_enforced_total"), 2u);
}

TEST_F(Resilience, ASmallClusterLosesNobodyByDefault) {
  add_host("", "    outlier_detection: {consecutive_5xx: 1, interval: 1s}\n", always(500), always(500));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(ask(), "500");
  }
  EXPECT_EQ(stat("outlier_detection.ejections_enforced_total"), 0u);
  EXPECT_GT(stat("outlier_detection.ejections_overflow"), 0u);
}

TEST_F(Resilience, WhenAllAreOutPanicUsesThemAll) {
  add_host("", "    outlier_detection: {consecutive_5xx: 1, interval: 1s, max_ejection_percent: 100}\n", always(500),
           always(500));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask(), "500");
  }
  EXPECT_EQ(stat("membership_healthy"), 0u);
  EXPECT_GT(stat("lb_healthy_panic"), 0u);
  EXPECT_EQ(proxy->origin.requests() + other->requests(), 10u);
}

constexpr std::string_view kCheck =
    "    common_lb_config: {healthy_panic_threshold: {value: 0}}\n"
    "    health_checks: [{timeout: 1s, interval: 2s, no_traffic_interval: 2s, unhealthy_threshold: 2, "
    "healthy_threshold: 2,"
    " http_health_check: {path: /check}}]\n";

TEST_F(Resilience, AHostIsUsedFromItsFirstGoodCheckAndLeftAfterItsBadOnes) {
  bool well = true;
  start("", kCheck, [&well](const std::string& head, const std::string&) {
    return answer_of(head.find("/check") != std::string::npos && !well ? 503 : 200);
  });
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("membership_healthy") == 1; }, 1s));
  EXPECT_EQ(ask(), "200");
  well = false;
  // A status that was not expected is enough at once.
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("membership_healthy") == 0; }, 3s));
  EXPECT_EQ(ask(), "503");
  well = true;
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("membership_healthy") == 1; }, 5s));
  EXPECT_EQ(ask(), "200");
  EXPECT_EQ(stat("health_check.network_failure"), 0u);
}

TEST_F(Resilience, AFlappingHostChangesNothingBelowItsThreshold) {
  int checks = 0;
  start("",
        "    health_checks: [{timeout: 1s, interval: 1s, no_traffic_interval: 1s, unhealthy_threshold: 2,"
        " healthy_threshold: 1, http_health_check: {path: /check, retriable_statuses: [{start: 500, end: 600}]}}]\n",
        [&checks](const std::string& head, const std::string&) {
          return answer_of(head.find("/check") != std::string::npos && ++checks % 2 == 0 ? 503 : 200);
        });
  ASSERT_TRUE(proxy->world.run_until([&] { return stat("membership_healthy") == 1; }, 1s));
  for (int i = 0; i < 20; ++i) {
    proxy->world.run_for(1s);
    ASSERT_EQ(stat("membership_healthy"), 1u);
  }
  EXPECT_GT(stat("health_check.failure"), 5u);
}

TEST_F(Resilience, AMirrorThatIsStuckIsCutAndHarmsNobody) {
  std::string yaml(kPlainProxy);
  replace(yaml, "{cluster: origin}", "{cluster: origin, request_mirror_policies: [{cluster: stuck}]}");
  yaml +=
      "  - name: stuck\n    connect_timeout: 1s\n    per_connection_buffer_limit_bytes: 16384\n"
      "    load_assignment: {cluster_name: x, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: "
      "{address: 10.0.0.9, port_value: 9002}}}}]}]}\n";
  proxy = std::make_unique<SimProxy>(3, yaml, always(200));
  ASSERT_EQ(proxy->error, "");
  // Nobody reads there.
  std::vector<std::unique_ptr<net::Transport>> taken;
  auto socket = proxy->origins.network.bind(*net::Address::from_ip("10.0.0.9", 9002), {}, 1);
  auto acceptor = proxy->origins.network.accept(**socket, 0, [&](std::unique_ptr<net::Transport> transport) {
    transport->want_read(false);
    taken.push_back(std::move(transport));
  });
  constexpr size_t kBody = 2'000'000;
  talkers.push_back(proxy->connect());
  talkers.back()->send(
      cat("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ", kBody, "\r\n\r\n", std::string(kBody, 'x')));
  ASSERT_TRUE(proxy->world.run_until([&] { return talkers.back()->received().find("200") != std::string::npos; }, 60s));
  EXPECT_EQ(proxy->server->registry().value("cluster.stuck.retry_or_shadow_abandoned").value_or(0), 1u);
  acceptor.reset();
  taken.clear();
}

}  // namespace
}  // namespace sluice::test
