// The campaign: traffic of every kind x resets, stalls, partial reads and writes, missing descriptors, by seed. The
// invariants of the design are checked after every step. A failure prints its seed and step; one seed is run alone with
//
//   SLUICE_SEED=17 build/dev/test/sim/sim_test --gtest_filter=Campaign.*
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/strings.h"
#include "test/sim/sim_invariants.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr size_t kLimit = 32 * 1024;

std::string proxy_with_limits() {
  std::string yaml(kPlainProxy);
  const auto insert = [&](std::string_view after, std::string_view text) {
    const size_t at = yaml.find(after);
    EXPECT_NE(at, std::string::npos);
    yaml.insert(at + after.size(), text);
  };
  insert("- name: main\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert("connect_timeout: 1s\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert("stat_prefix: main\n", "          stream_idle_timeout: 5s\n");
  return yaml;
}

struct Played {
  uint64_t hash = 0;
  TrafficClient::Outcomes outcomes;
  std::string violation;
};

const net::Address kOrigin = *net::Address::from_ip("10.0.0.19", 9000);
const net::Address kProxy = *net::Address::from_ip("10.0.0.2", 8080);

Played campaign(uint64_t seed) {
  std::string yaml = proxy_with_limits();
  yaml.replace(yaml.find("10.0.0.9"), 8, "10.0.0.19");
  SimProxy proxy(seed, yaml, nullptr, filters::builtin(), 1 + seed % 3);
  EXPECT_EQ(proxy.error, "");
  SimMachine origin_machine(proxy.fabric, "10.0.0.19");
  Violations violations(proxy.world);
  TrafficOrigin origin(origin_machine, kOrigin, violations);
  Played run;
  {
    Invariants invariants(proxy, kLimit, violations);
    SimRandom random(proxy.world.random().fork());
    proxy.fabric.faults() = SimFaults::rough(random);
    std::vector<std::unique_ptr<TrafficClient>> clients;
    for (int i = 0; i < 6; ++i) {
      clients.push_back(std::make_unique<TrafficClient>(proxy.clients, kProxy, SimRandom(random.next()), violations));
      clients.back()->run(5);
    }
    proxy.world.run_until([&] { return std::all_of(clients.begin(), clients.end(), [](auto& c) { return c->done(); }); }, 120s);
    // The faults end: others are served.
    proxy.fabric.faults() = SimFaults();
    TrafficClient& prober = *clients.front();
    const uint64_t whole_before = prober.outcomes().whole;
    prober.probe({Answer::kLength, 42, 10'000, 100'000, 0});
    proxy.world.run_until([&] { return prober.done(); }, 30s);
    violations.expect(prober.outcomes().whole == whole_before + 1, "a request without faults is not answered");
    // Everybody goes, and takes everything along.
    for (auto& client : clients) {
      client->leave();
      violations.expect(client->outcomes().sum() == client->outcomes().begun, "an exchange without exactly one outcome");
      run.outcomes.whole += client->outcomes().whole;
      run.outcomes.error += client->outcomes().error;
      run.outcomes.cut += client->outcomes().cut;
      run.outcomes.begun += client->outcomes().begun;
    }
    proxy.world.run_for(10s);
    invariants.expect_quiet();
    const size_t lines = proxy.platform.files().lines("/log").size();
    violations.expect(lines == invariants.http(stats::HttpStat::kDownstreamRqTotal), "exchanges and lines of the log differ");
  }
  violations.expect(proxy.stop(), "the drained server does not end");
  run.hash = proxy.world.trace_hash();
  run.violation = violations.first();
  return run;
}

TEST(Campaign, ReplaysBySeed) {
  const Played once = campaign(11);
  EXPECT_EQ(campaign(11).hash, once.hash);
  EXPECT_NE(campaign(12).hash, once.hash);
}

TEST(Campaign, HoldsUnderFaults) {
  const char* only = std::getenv("SLUICE_SEED");
  const uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const uint64_t last = only == nullptr ? 200 : first;
  TrafficClient::Outcomes all;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const Played run = campaign(seed);
    ASSERT_EQ(run.violation, "") << "replay: SLUICE_SEED=" << seed << " sim_test --gtest_filter=Campaign.HoldsUnderFaults";
    all.whole += run.outcomes.whole;
    all.error += run.outcomes.error;
    all.cut += run.outcomes.cut;
  }
  if (only == nullptr) {  // the campaign is no use when nothing or everything fails
    EXPECT_GT(all.whole, 1000u);
    EXPECT_GT(all.error, 100u);
    EXPECT_GT(all.cut, 100u);
  }
}

}  // namespace
}  // namespace sluice::test
