// Campaigns of a fleet about who is asked: hosts that are ill and well again in turns, all of them at once, a zone that
// goes and comes back, a host that starts slowly, outliers by the dozen. In most of them no request may fail.
#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_fleet.h"
#include "upstream/host.h"

namespace sluice::test {

using namespace std::chrono_literals;
using Mood = Fleet::Mood;

namespace {

constexpr std::string_view kChecks =
    "    health_checks: [{timeout: 0.5s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, "
    "no_traffic_interval: 1s, http_health_check: {path: /healthz}}]\n";
// From a change of a host to the check that sees it: an interval, a timeout and the way there.
constexpr Duration kChecked = 2s;

void expect_even(Fleet& fleet, const Fleet::Seen& seen, std::string_view when) {
  const uint64_t mean = seen.asked_in_all() / fleet.size();
  for (size_t i = 0; i < fleet.size(); ++i) {
    fleet.violations.expect(seen.asked[i] * 10 > mean * 7 && seen.asked[i] * 10 < mean * 13,
                            cat(when, ": host ", i, " was asked ", seen.asked[i], " times, the mean is ", mean));
  }
}

}  // namespace

// Each host's check fails and passes many times; one is always well.
Played play_flapping(uint64_t seed, Trace trace) {
  Fleet fleet(seed, trace,
              {.hosts = 4,
               .zones = 1,
               .route = "",
               .cluster = cat("    common_lb_config: {healthy_panic_threshold: {value: 0}}\n", kChecks)});
  fleet.nothing_may_fail();
  fleet.failing_are_spared();
  fleet.load(50, 3s);
  for (int i = 0; i < 15; ++i) {
    const size_t host = 1 + fleet.random.below(fleet.size() - 1);
    fleet.set(host, fleet.mood(host) == Mood::kWell ? Mood::kSick : Mood::kWell);
    fleet.load(50, fleet.random.between(Duration(50ms), Duration(2s)));
  }
  fleet.set_all(Mood::kWell);
  fleet.load(50, kChecked);
  fleet.take();
  fleet.load(100, 4s);
  expect_even(fleet, fleet.take(), "all are well again");
  return fleet.end();
}

// All checks fail: everybody is asked, rather than nobody (Envoy's panic threshold).
Played play_panic(uint64_t seed, Trace trace) {
  Fleet fleet(seed, trace, {.hosts = 4, .zones = 1, .route = "", .cluster = std::string(kChecks)});
  fleet.nothing_may_fail();
  fleet.load(50, 3s);
  fleet.violations.expect(fleet.stat("cluster.origin.lb_healthy_panic") == 0, "a panic although all are well");
  for (int i = 0; i < 3; ++i) {
    fleet.set_all(Mood::kSick);
    fleet.load(50, kChecked);
    fleet.take();
    fleet.load(50, 4s);
    expect_even(fleet, fleet.take(), "all are ill");
    fleet.violations.expect(fleet.stat("cluster.origin.lb_healthy_panic") >= 50, "no panic although all are ill");
    fleet.set_all(Mood::kWell);
    fleet.load(50, kChecked);
    const uint64_t panics = fleet.stat("cluster.origin.lb_healthy_panic");
    fleet.load(50, fleet.random.between(Duration(100ms), Duration(3s)));
    fleet.violations.expect(fleet.stat("cluster.origin.lb_healthy_panic") == panics, "a panic although all are well");
  }
  return fleet.end();
}

// The proxy's own zone takes all that it gets; it goes, and comes back.
Played play_zones(uint64_t seed, Trace trace) {
  constexpr size_t kZones = 3;
  Fleet fleet(seed, trace,
              {.hosts = 6,
               .zones = kZones,
               .route = ", retry_policy: {retry_on: \"connect-failure,reset\", num_retries: 5, "
                        "retry_back_off: {base_interval: 0.4s, max_interval: 2s}}",
               .cluster = cat("    common_lb_config: {healthy_panic_threshold: {value: 30}, "
                              "zone_aware_lb_config: {min_cluster_size: 3}}\n"
                              "    circuit_breakers: {thresholds: [{max_retries: 1000}]}\n",
                              kChecks)});
  fleet.load(50, kChecked);
  fleet.take();
  fleet.nothing_may_fail();
  const auto expect_home = [&fleet](std::string_view when) {
    fleet.take();
    fleet.load(50, 3s);
    const Fleet::Seen seen = fleet.take();
    fleet.violations.expect(seen.asked_in(0, kZones) > 100 && seen.asked_in(0, kZones) == seen.asked_in_all(),
                            cat(when, ": ", seen.asked_in(0, kZones), " of ", seen.asked_in_all(), " stayed at home"));
  };
  for (int i = 0; i < 3; ++i) {
    expect_home("with all zones");
    // Until the checks tell, what is asked of the zone comes back; retries find others.
    fleet.some_may_fail();
    fleet.set(0, Mood::kDown);
    fleet.set(kZones, Mood::kDown);
    fleet.load(50, kChecked);
    fleet.settle();
    fleet.take();
    fleet.nothing_may_fail();
    fleet.load(50, fleet.random.between(Duration(2s), Duration(6s)));
    fleet.settle();
    const Fleet::Seen away = fleet.take();
    const uint64_t second = away.asked_in(1, kZones), third = away.asked_in(2, kZones);
    fleet.violations.expect(away.asked_in(0, kZones) == 0, "hosts that are gone are asked");
    fleet.violations.expect(second * 3 > third && third * 3 > second,
                            cat("without its own zone the others share: ", second, " and ", third));
    fleet.set(0, Mood::kWell);
    fleet.set(kZones, Mood::kWell);
    fleet.load(50, kChecked);
    fleet.settle();
  }
  expect_home("with all zones again");
  return fleet.end();
}

// A host that is well again gets its share by and by, not at once.
Played play_slow_start(uint64_t seed, Trace trace) {
  constexpr int kWindow = 8;  // seconds
  constexpr size_t kSlow = 2;
  Fleet fleet(seed, trace,
              {.hosts = 4,
               .zones = 1,
               .route = "",
               .cluster = cat("    round_robin_lb_config: {slow_start_config: {slow_start_window: ", kWindow,
                              "s, min_weight_percent: {value: 10}}}\n", kChecks)});
  fleet.nothing_may_fail();
  fleet.load(20, std::chrono::seconds(kWindow) + kChecked);
  fleet.set(kSlow, Mood::kSick);
  fleet.load(20, 2 * kChecked);
  fleet.set(kSlow, Mood::kWell);
  fleet.violations.expect(fleet.failing(kSlow) != 0, "a host that is ill is not known to be");
  const bool found = fleet.proxy.world.run_until([&] { return fleet.failing(kSlow) == 0; }, kChecked);
  fleet.violations.expect(found, "a host that is well is not known to be");
  for (int second = 0; second < kWindow + 3; ++second) {
    fleet.take();
    fleet.load(240, 1s);
    const Fleet::Seen seen = fleet.take();
    const double others = static_cast<double>(seen.asked_in_all() - seen.asked[kSlow]) / 3;
    const double share = static_cast<double>(seen.asked[kSlow]) / others;
    // Weights as they are at the beginning and at the end of the second; each worker's queue rounds.
    const double most = std::min(1.0, std::max(0.1, (second + 1.0) / kWindow));
    const double least = std::min(1.0, second * 1.0 / kWindow);
    fleet.violations.expect(
        share <= most * 1.2 + 0.1 && share >= least * 0.8 - 0.1,
        cat("in second ", second, " of its start a host has ", static_cast<int>(100 * share), "% of another's share"));
  }
  return fleet.end();
}

// Everybody fails, and only so many are put out; when they are well all come back.
Played play_ejections(uint64_t seed, Trace trace) {
  Fleet fleet(seed, trace,
              {.hosts = 10,
               .zones = 1,
               .route = "",
               .cluster = "    outlier_detection: {consecutive_5xx: 3, interval: 1s, base_ejection_time: 2s, "
                          "max_ejection_time: 5s, max_ejection_percent: 30}\n"});
  fleet.failing_are_spared();
  size_t most = 0;
  fleet.after_step([&fleet, &most] {
    size_t out = 0;
    for (size_t i = 0; i < fleet.size(); ++i) {
      out += (fleet.failing(i) & upstream::kOutlier) != 0;
    }
    most = std::max(most, out);
    fleet.violations.expect(out <= 3, cat(out, " of ", fleet.size(), " hosts are ejected"));
  });
  fleet.load(100, 2s);
  for (int i = 0; i < 3; ++i) {
    most = 0;
    fleet.set_all(Mood::kFailing);
    fleet.load(100, fleet.random.between(Duration(3s), Duration(8s)));
    fleet.violations.expect(most == 3, cat("with all hosts failing only ", most, " are ejected"));
    fleet.set_all(Mood::kWell);
    fleet.load(20, 8s);  // the longest ejection, and two looks
    for (size_t host = 0; host < fleet.size(); ++host) {
      fleet.violations.expect(fleet.failing(host) == 0, cat("host ", host, " does not come back"));
    }
    fleet.settle();
    fleet.take();
    fleet.nothing_may_fail();
    fleet.load(200, 2s);
    fleet.settle();
    fleet.some_may_fail();
    expect_even(fleet, fleet.take(), "all are well again");
  }
  return fleet.end();
}

}  // namespace sluice::test
