#include "test/sim/sim_campaigns.h"

#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_invariants.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr size_t kLimit = 32 * 1024;
constexpr uint16_t kOriginPort = 9000;
const net::Address kProxy = *net::Address::from_ip("10.0.0.2", 8080);
const std::vector<std::string> kOrigins = {"10.0.0.19", "10.0.0.20", "10.0.0.21"};

std::string proxy_with_limits() {
  std::string yaml(kPlainProxy);
  const auto insert = [&](std::string_view after, std::string_view text) {
    const size_t at = yaml.find(after);
    SLUICE_CHECK(at != std::string::npos);
    yaml.insert(at + after.size(), text);
  };
  insert("- name: main\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert("connect_timeout: 1s\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert("stat_prefix: main\n", "          stream_idle_timeout: 5s\n");
  return yaml;
}

// The origin is a name.
std::string proxy_with_names() {
  std::string yaml = proxy_with_limits();
  yaml.replace(yaml.find("10.0.0.9"), 8, "origin.test");
  const std::string_view cluster = "  - name: origin\n";
  yaml.insert(yaml.find(cluster) + cluster.size(),
              "    type: STRICT_DNS\n    dns_refresh_rate: 1s\n    dns_lookup_family: V4_ONLY\n"
              "    dns_failure_refresh_rate: {base_interval: 1s, max_interval: 3s}\n"
              "    typed_dns_resolver_config:\n      name: cares\n      typed_config:\n"
              "        \"@type\": type.googleapis.com/"
              "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig\n"
              "        query_timeout_seconds: 1\n        query_tries: 2\n");
  return yaml;
}

// A proxy, its origins, and clients with traffic of every kind. Thread: the simulation's.
class Stage {
 public:
  Stage(uint64_t seed, Trace trace, std::string_view yaml, size_t origins)
      : proxy(seed, yaml, nullptr, filters::builtin(), 1 + seed % 3,
              [](SimZone& zone) { zone.set("origin.test", {kOrigins[0]}); }),
        violations(proxy.world) {
    SLUICE_CHECK(proxy.error.empty());
    if (trace == Trace::kPrinted) {
      proxy.world.print_trace();
    }
    for (size_t i = 0; i < origins; ++i) {
      machines_.push_back(std::make_unique<SimMachine>(proxy.fabric, kOrigins[i]));
      origins_.push_back(std::make_unique<TrafficOrigin>(*machines_.back(),
                                                         *net::Address::from_ip(kOrigins[i], kOriginPort), violations));
    }
    invariants_.emplace(proxy, kLimit, violations);
  }

  // Traffic under faults.
  void play() {
    SimRandom random(proxy.world.random().fork());
    proxy.fabric.faults() = SimFaults::rough(random);
    for (int i = 0; i < 6; ++i) {
      clients_.push_back(std::make_unique<TrafficClient>(proxy.clients, kProxy, SimRandom(random.next()), violations));
      clients_.back()->run(5);
    }
    proxy.world.run_until(
        [&] { return std::all_of(clients_.begin(), clients_.end(), [](auto& c) { return c->done(); }); }, 120s);
  }
  // The faults end: others are served.
  void recover() {
    proxy.fabric.faults() = SimFaults();
    TrafficClient& prober = *clients_.front();
    const uint64_t whole_before = prober.outcomes().whole;
    prober.probe({Answer::kLength, 42, 10'000, 100'000, 0});
    proxy.world.run_until([&] { return prober.done(); }, 30s);
    violations.expect(prober.outcomes().whole == whole_before + 1, "a request without faults is not answered");
  }
  // Everybody goes, and takes everything along.
  Played end() {
    Played run;
    for (auto& client : clients_) {
      client->leave();
      violations.expect(client->outcomes().sum() == client->outcomes().begun,
                        "an exchange without exactly one outcome");
      run.outcomes.whole += client->outcomes().whole;
      run.outcomes.error += client->outcomes().error;
      run.outcomes.cut += client->outcomes().cut;
      run.outcomes.begun += client->outcomes().begun;
    }
    proxy.world.run_for(10s);
    invariants_->expect_quiet();
    const size_t lines = proxy.platform.files().lines("/log").size();
    violations.expect(lines == invariants_->http(stats::HttpStat::kDownstreamRqTotal),
                      "exchanges and lines of the log differ");
    invariants_.reset();
    violations.expect(proxy.stop(), "the drained server does not end");
    run.hash = proxy.world.trace_hash();
    run.steps = proxy.world.steps();
    run.time = proxy.world.now() - began_;
    run.violation = violations.first();
    return run;
  }

  SimProxy proxy;
  Violations violations;

 private:
  const MonotonicTime began_{1'000'000'000'000};
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<TrafficOrigin>> origins_;
  std::optional<Invariants> invariants_;
  std::vector<std::unique_ptr<TrafficClient>> clients_;
};

Played play_traffic(uint64_t seed, Trace trace) {
  std::string yaml = proxy_with_limits();
  yaml.replace(yaml.find("10.0.0.9"), 8, kOrigins[0]);
  Stage stage(seed, trace, yaml, 1);
  stage.play();
  stage.recover();
  return stage.end();
}

// What DNS says changes under traffic: hosts come and go, the name ends, servers fail or are silent.
class Churn {
 public:
  Churn(SimWorld& world, SimZone& zone) : world_(world), zone_(zone), random_(world.random().fork()) { change(); }
  void end() { over_ = true; }

 private:
  void change() {
    if (over_) {
      return;
    }
    zone_.mood = SimZone::Mood::kWell;
    switch (random_.below(8)) {
      case 0:
        zone_.remove("origin.test");
        break;
      case 1:
        zone_.mood = SimZone::Mood::kServFail;
        break;
      case 2:
        zone_.mood = SimZone::Mood::kSilent;
        break;
      default: {
        std::vector<std::string> some = kOrigins;
        random_.shuffle(some);
        some.resize(random_.between(1, some.size()));
        zone_.set("origin.test", some);
      }
    }
    world_.after(random_.between(Duration(200ms), Duration(3s)), [this] { change(); });
  }
  SimWorld& world_;
  SimZone& zone_;
  SimRandom random_;
  bool over_ = false;
};

Played play_names(uint64_t seed, Trace trace) {
  Stage stage(seed, trace, proxy_with_names(), kOrigins.size());
  SimZone& zone = stage.proxy.platform.zone;
  Churn churn(stage.proxy.world, zone);
  stage.play();
  churn.end();
  zone.mood = SimZone::Mood::kWell;
  zone.set("origin.test", kOrigins);
  stage.proxy.world.run_for(10s);
  stage.violations.expect(stage.proxy.server->registry().value("cluster.origin.membership_total") == kOrigins.size(),
                          "the last answer of DNS did not become the hosts");
  stage.recover();
  return stage.end();
}

constexpr Campaign kCampaigns[] = {
    {"traffic", "every kind of request x resets, stalls, partial reads and writes, missing descriptors", &play_traffic},
    {"names", "the same, while DNS changes, fails and is silent", &play_names},
};

}  // namespace

std::span<const Campaign> all_campaigns() { return kCampaigns; }

}  // namespace sluice::test
