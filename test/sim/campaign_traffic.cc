// Campaigns of HTTP/1 traffic through one proxy: as it is, with names that change, with filters that do everything they
// may, with retries.
#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_probe.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {

using namespace std::chrono_literals;

Played play_traffic(uint64_t seed, Trace trace) {
  Stage stage(seed, trace, stage_yaml(), 1);
  stage.play();
  stage.recover();
  return stage.end();
}

// ---- names

namespace {

// The origin is a name.
std::string proxy_with_names() {
  std::string yaml = stage_yaml();
  replace_first(yaml, kStageOrigins[0], "origin.test");
  insert_behind(yaml, "  - name: origin\n",
                "    type: STRICT_DNS\n    dns_refresh_rate: 1s\n    dns_lookup_family: V4_ONLY\n"
                "    dns_failure_refresh_rate: {base_interval: 1s, max_interval: 3s}\n"
                "    typed_dns_resolver_config:\n      name: cares\n      typed_config:\n"
                "        \"@type\": type.googleapis.com/"
                "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig\n"
                "        query_timeout_seconds: 1\n        query_tries: 2\n");
  return yaml;
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
        std::vector<std::string> some = kStageOrigins;
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

}  // namespace

Played play_names(uint64_t seed, Trace trace) {
  Stage stage(seed, trace, proxy_with_names(), kStageOrigins.size());
  SimZone& zone = stage.proxy.platform.zone;
  Churn churn(stage.proxy.world, zone);
  stage.play();
  churn.end();
  zone.mood = SimZone::Mood::kWell;
  zone.set("origin.test", {kStageOrigins[seed % kStageOrigins.size()]});
  stage.proxy.world.run_for(10s);
  stage.violations.expect(stage.proxy.server->registry().value("cluster.origin.membership_total") == 1,
                          "the last answer of DNS did not become the hosts");
  for (size_t i = 0; i < kStageOrigins.size(); ++i) {
    if (i != seed % kStageOrigins.size()) {
      stage.origin(i).retire();
    }
  }
  stage.recover();
  return stage.end();
}

// ---- hooks

namespace {

// What a filter does in each hook, by chance. Thread: the simulation's.
class Mischief {
 public:
  explicit Mischief(uint64_t seed) : random_(seed) {}
  void write(Probe::Script& script) {
    script.request_headers = [this](Probe& probe, proxy::Exchange& exchange, auto&, http::End end) {
      return headers(probe, exchange, end, kRequest);
    };
    script.response_headers = [this](Probe& probe, proxy::Exchange& exchange, auto&, http::End end) {
      return headers(probe, exchange, end, kResponse);
    };
    script.request_data = [this](Probe& probe, proxy::Exchange& exchange, auto&, http::End) {
      return data(probe, exchange, kRequest);
    };
    script.response_data = [this](Probe& probe, proxy::Exchange& exchange, auto&, http::End) {
      return data(probe, exchange, kResponse);
    };
  }
  // No more replies instead of what was asked for.
  void behave() { replies_ = false; }

 private:
  static constexpr uint64_t kWhole = 1'000'000;

  enum Side : uint8_t { kRequest, kResponse };

  proxy::Step headers(Probe& probe, proxy::Exchange& exchange, http::End end, Side side) {
    if (replies_ && random_.chance(30)) {
      return reply(exchange);
    }
    switch (random_.below(end == http::End::kYes ? 3 : 5)) {
      case 0:
        return pause(probe, side);
      case 1:
        return pause_and_resume(probe, side);
      case 3:
        return proxy::Step::hold();
      case 4:
        return proxy::Step::collect(kWhole);
      default:
        return proxy::Step::next();
    }
  }
  proxy::Step data(Probe& probe, proxy::Exchange& exchange, Side side) {
    if (replies_ && random_.chance(10)) {
      return reply(exchange);
    }
    switch (random_.below(10)) {
      case 0:
        return pause(probe, side);
      case 1:
        return pause_and_resume(probe, side);
      case 2:
        return proxy::Step::collect(kWhole);
      default:
        return proxy::Step::next();
    }
  }
  proxy::Step pause(Probe& probe, Side side) {
    const Duration time = random_.between(Duration(0), Duration(50ms));
    return side == kRequest ? probe.pause_for(time) : probe.pause_response_for(time);
  }
  // It is over before the hook is.
  static proxy::Step pause_and_resume(Probe& probe, Side side) {
    proxy::Resumer& resumer = side == kRequest ? *probe.resumer : *probe.response_resumer;
    proxy::Step step = proxy::Step::pause(resumer);
    resumer.resume();
    return step;
  }
  static proxy::Step reply(proxy::Exchange& exchange) {
    proxy::LocalReply teapot;
    teapot.status = 418;
    teapot.body = "short and stout";
    return exchange.reply(teapot);
  }

  SimRandom random_;
  bool replies_ = true;
};

}  // namespace

Played play_hooks(uint64_t seed, Trace trace) {
  probe_scripts().clear();
  Mischief mischief(seed);
  for (const char* name : {"first", "second"}) {
    mischief.write(probe_scripts()[name]);
  }
  Stage stage(seed, trace, with_two_probes(stage_yaml()), 1, with_probes());
  stage.play();
  mischief.behave();
  stage.recover();
  return stage.end();
}

// ---- retries

Played play_retries(uint64_t seed, Trace trace) {
  std::string yaml = stage_yaml();
  replace_first(yaml, "{cluster: origin}",
                "{cluster: origin, timeout: 20s, retry_policy: {retry_on: \"5xx,reset\", num_retries: 2, "
                "per_try_timeout: 4.5s, retry_back_off: {base_interval: 0.025s, max_interval: 0.25s}}}");
  for (size_t i = 1; i < kStageOrigins.size(); ++i) {
    append(yaml, "        - endpoint: {address: {socket_address: {address: ", kStageOrigins[i],
           ", port_value: 9000}}}\n");
  }
  Stage stage(seed, trace, yaml, kStageOrigins.size());
  stage.ledger.most_tries = 3;
  stage.play();
  stage.recover();
  return stage.end();
}

}  // namespace sluice::test
