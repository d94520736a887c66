// A fleet: a proxy whose cluster has many hosts, each on a machine of its own, under requests that come at a steady
// rate whoever answers. Campaigns about hosts change their moods and look at who is asked, and how often.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "test/sim/sim_campaigns.h"
#include "test/sim/sim_invariants.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {

// What its configuration says beside kPlainProxy.
struct FleetConfig {
  size_t hosts = 4;
  size_t zones = 1;     // host i is in zone i % zones; with more than one the proxy and its like stand in zone 0
  std::string route;    // further fields of the route, in flow style with a comma in front
  std::string cluster;  // lines of the cluster, indented by four
};

// Thread: the simulation's.
class Fleet {
 public:
  enum class Mood : uint8_t {
    kWell,
    kSick,     // its health check says so; requests are answered as ever
    kFailing,  // requests are answered by 503
    kDown,     // resets its connections, refuses new ones
  };

  Fleet(uint64_t seed, Trace trace, const FleetConfig& config);
  ~Fleet();

  size_t size() const { return hosts_.size(); }
  void set(size_t host, Mood mood);
  void set_all(Mood mood);
  Mood mood(size_t host) const;
  // What the proxy thinks of it: upstream::Failing bits.
  uint8_t failing(size_t host) const;

  // Lets `time` pass, with so many requests a second.
  void load(uint32_t per_second, Duration time);
  // Until nobody waits for an answer.
  void settle();

  // What came of the requests since the last time; and who was asked how often, retries and all.
  struct Seen {
    uint64_t begun = 0, whole = 0, error = 0, cut = 0;
    std::vector<uint64_t> asked;
    uint64_t asked_in_all() const;
    // Of the hosts whose number modulo `zones` is `zone`.
    uint64_t asked_in(size_t zone, size_t zones) const;
  };
  Seen take();

  // From now on an answer that is not a host's own is a violation; or is none any more.
  void nothing_may_fail() { strict_ = true; }
  void some_may_fail() { strict_ = false; }
  // From now on nobody may ask a host that the proxy has known as failing for a moment.
  void failing_are_spared() { spares_ = true; }
  void on_asked(std::function<void(size_t host)> hook) { on_asked_ = std::move(hook); }
  // After every step.
  void after_step(std::function<void()> check) { check_ = std::move(check); }

  uint64_t stat(std::string_view name) { return proxy.server->registry().value(name).value_or(0); }
  Played end();

  SimProxy proxy;
  Violations violations;
  SimRandom random;

 private:
  class Host;
  struct Call;
  void ask();
  void answered(Call& call);
  void was_asked(size_t host);
  void look_at_failing();

  const MonotonicTime began_;
  std::optional<Invariants> invariants_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Call>> calls_;  // who waits, and connections for those who come
  std::vector<Call*> idle_;
  std::vector<const upstream::Host*> known_;         // by the proxy, in our order
  std::vector<std::optional<MonotonicTime>> fails_;  // since when it is known to fail
  std::function<void(size_t)> on_asked_;
  std::function<void()> check_;
  Seen seen_;
  TrafficClient::Outcomes outcomes_;
  bool strict_ = false;
  bool spares_ = false;
};

}  // namespace sluice::test
