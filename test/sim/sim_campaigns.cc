#include "test/sim/sim_campaigns.h"

namespace sluice::test {

// campaign_traffic.cc
Played play_traffic(uint64_t seed, Trace trace);
Played play_names(uint64_t seed, Trace trace);
Played play_hooks(uint64_t seed, Trace trace);
Played play_retries(uint64_t seed, Trace trace);
// campaign_mirrors.cc
Played play_mirrors(uint64_t seed, Trace trace);
// campaign_collectors.cc
Played play_collectors(uint64_t seed, Trace trace);
// campaign_http2.cc
Played play_http2(uint64_t seed, Trace trace);
// campaign_tcp.cc
Played play_tcp(uint64_t seed, Trace trace);
// campaign_updates.cc
Played play_updates(uint64_t seed, Trace trace);
// campaign_on_demand.cc
Played play_on_demand(uint64_t seed, Trace trace);
// campaign_hosts.cc
Played play_flapping(uint64_t seed, Trace trace);
Played play_panic(uint64_t seed, Trace trace);
Played play_zones(uint64_t seed, Trace trace);
Played play_slow_start(uint64_t seed, Trace trace);
Played play_ejections(uint64_t seed, Trace trace);
// campaign_storms.cc
Played play_storm(uint64_t seed, Trace trace);
Played play_restart(uint64_t seed, Trace trace);

namespace {

constexpr Campaign kCampaigns[] = {
    {"traffic", "every kind of request x resets, stalls, partial reads and writes, missing descriptors", &play_traffic,
     200},
    {"names", "the same, while DNS changes, fails and is silent", &play_names, 200},
    {"hooks", "the same, with filters that pause, resume, hold, collect and reply in every hook", &play_hooks, 200},
    {"retries", "the same, with three origins and retries", &play_retries, 200},
    {"mirrors", "the same, with a mirror that must harm nobody, and redirects that nobody sees", &play_mirrors, 100},
    {"collectors", "the same, with logs and spans for a collector that dies, stalls and comes back", &play_collectors,
     40},
    {"http2", "HTTP/1 -> HTTP/2 -> HTTP/1: many exchanges share connections on rough networks", &play_http2, 150},
    {"tcp", "tcp_proxy: half-closes, resets, stalls, connects that fail, peers that do not read", &play_tcp, 100},
    {"updates", "configuration that changes out of files or from a control plane, under traffic", &play_updates, 20},
    {"on_demand", "clusters and hosts that requests ask for, of a control plane that is late, silent or away",
     &play_on_demand, 40},
    {"flapping", "hosts whose health checks fail and pass in turns", &play_flapping, 20, Fails::kNever},
    {"panic", "hosts whose checks all fail at once", &play_panic, 20, Fails::kNever},
    {"zones", "the proxy's own zone goes and comes back", &play_zones, 20, Fails::kNever},
    {"slow_start", "a host that is well again gets its share by and by", &play_slow_start, 20, Fails::kNever},
    {"ejections", "outliers by the dozen, of which only some are put out", &play_ejections, 20},
    {"storm", "retries while everybody fails", &play_storm, 20},
    {"restart", "a host that restarts under many connections", &play_restart, 20},
};

}  // namespace

void Played::take(const SimWorld& world, MonotonicTime began, const Violations& violations) {
  hash = world.trace_hash();
  steps = world.steps();
  time = world.now() - began;
  buggified = world.buggified();
  violation = violations.first();
}

std::span<const Campaign> all_campaigns() { return kCampaigns; }

}  // namespace sluice::test
