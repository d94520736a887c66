// Campaigns of a fleet about what a proxy must not make worse: retries when everybody fails, connects when a host comes
// back to all who wait for it.
#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_fleet.h"

namespace sluice::test {

using namespace std::chrono_literals;
using Mood = Fleet::Mood;

// With a budget of 15 % for retries the hosts see at most 1.2 times what was asked for.
Played play_storm(uint64_t seed, Trace trace) {
  Fleet fleet(seed, trace,
              {.hosts = 3,
               .zones = 1,
               .route = ", retry_policy: {retry_on: 5xx, num_retries: 3, retry_back_off: {base_interval: 0.01s}}",
               .cluster = "    circuit_breakers: {thresholds: [{retry_budget: {budget_percent: {value: 15}, "
                          "min_retry_concurrency: 1}}]}\n"});
  fleet.load(300, 1s);
  fleet.settle();
  for (int i = 0; i < 2; ++i) {
    const size_t failing = 1 + fleet.random.below(fleet.size());
    for (size_t host = 0; host < failing; ++host) {
      fleet.set(host, Mood::kFailing);
    }
    const uint64_t retries = fleet.stat("cluster.origin.upstream_rq_retry");
    fleet.take();
    fleet.load(600, fleet.random.between(Duration(500ms), Duration(1500ms)));
    fleet.settle();
    const Fleet::Seen seen = fleet.take();
    fleet.violations.expect(seen.asked_in_all() * 5 <= seen.begun * 6 + 25,
                            cat(seen.begun, " requests became ", seen.asked_in_all()));
    fleet.violations.expect(fleet.stat("cluster.origin.upstream_rq_retry") > retries, "nothing is tried again");
    fleet.set_all(Mood::kWell);
    fleet.nothing_may_fail();
    fleet.load(100, 1s);
    fleet.settle();
    fleet.some_may_fail();
  }
  return fleet.end();
}

// A host restarts under many connections. No more connects than tries, no more connections than the breaker has room
// for, and who is not answered has had all its tries, or the beginning of an answer.
Played play_restart(uint64_t seed, Trace trace) {
  constexpr uint64_t kConnections = 30;
  constexpr std::string_view kGivenUp = "cluster.origin.upstream_rq_retry_limit_exceeded";
  constexpr std::string_view kBegun = "http.main.rq_reset_after_downstream_response_started";
  Fleet fleet(seed, trace,
              {.hosts = 1,
               .zones = 1,
               .route = ", retry_policy: {retry_on: \"connect-failure,reset\", num_retries: 3, "
                        "retry_back_off: {base_interval: 0.1s, max_interval: 1s}}",
               .cluster = cat("    circuit_breakers: {thresholds: [{max_connections: ", kConnections,
                              ", max_retries: 1000}]}\n")});
  // A pool without a connection may always have one: so many workers may go beyond the limit by one each.
  const uint64_t most = kConnections + seed % 3;
  fleet.after_step([&fleet, most] {
    fleet.violations.expect(fleet.stat("cluster.origin.upstream_cx_active") <= most, "more connections than allowed");
  });
  const auto tries = [&fleet] {
    return fleet.stat("http.main.downstream_rq_total") + fleet.stat("cluster.origin.upstream_rq_retry");
  };
  fleet.nothing_may_fail();
  fleet.load(600, 1s);
  for (int i = 0; i < 3; ++i) {
    fleet.some_may_fail();
    fleet.take();
    const uint64_t connects = fleet.stat("cluster.origin.upstream_cx_total");
    const uint64_t tries_before = tries();
    const uint64_t given_up = fleet.stat(kGivenUp);
    const uint64_t begun = fleet.stat(kBegun);
    fleet.set(0, Mood::kDown);
    fleet.load(600, fleet.random.between(Duration(50ms), Duration(1500ms)));
    fleet.set(0, Mood::kWell);
    fleet.load(100, 1s);
    fleet.settle();
    const Fleet::Seen seen = fleet.take();
    fleet.violations.expect(fleet.stat("cluster.origin.upstream_cx_total") - connects <= tries() - tries_before + most,
                            cat(fleet.stat("cluster.origin.upstream_cx_total") - connects, " connects for ",
                                tries() - tries_before, " tries"));
    fleet.violations.expect(
        seen.error == fleet.stat(kGivenUp) - given_up && seen.cut == fleet.stat(kBegun) - begun,
        cat(seen.error, " requests were refused and ", seen.cut, " cut, ", fleet.stat(kGivenUp) - given_up,
            " had all their tries and ", fleet.stat(kBegun) - begun, " had the beginning of an answer"));
    fleet.nothing_may_fail();
    fleet.load(600, 500ms);
    fleet.settle();
  }
  return fleet.end();
}

}  // namespace sluice::test
