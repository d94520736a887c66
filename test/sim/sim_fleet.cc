#include "test/sim/sim_fleet.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"
#include "test/sim/sim_stage.h"
#include "upstream/host.h"

namespace sluice::test {

using namespace std::chrono_literals;

namespace {

// From what main knows to the last request that left before a worker knew it.
constexpr Duration kMoment = 100ms;

std::string fleet_ip(size_t host) { return cat("10.0.1.", 1 + host); }

std::string endpoints_by_zone(const FleetConfig& config, std::string_view name, std::string_view net) {
  std::string out = cat("    load_assignment:\n      cluster_name: ", name, "\n      endpoints:\n");
  for (size_t zone = 0; zone < config.zones; ++zone) {
    append(out, "      - locality: {zone: z", zone, "}\n        lb_endpoints:\n");
    for (size_t i = zone; i < config.hosts; i += config.zones) {
      append(out, "        - endpoint: {address: {socket_address: {address: ", net, 1 + i, ", port_value: ", kStagePort,
             "}}}\n");
    }
  }
  return out;
}

std::string fleet_yaml(const FleetConfig& config) {
  std::string yaml(kPlainProxy);
  replace_first(yaml, "{cluster: origin}", cat("{cluster: origin", config.route, "}"));
  yaml.resize(yaml.find("    load_assignment:"));
  append(yaml, config.cluster, endpoints_by_zone(config, "origin", "10.0.1."));
  if (config.zones > 1) {
    append(yaml, "  - name: peers\n", endpoints_by_zone(config, "peers", "10.0.2."),
           "cluster_manager: {local_cluster_name: peers}\nnode: {id: a, cluster: peers, locality: {zone: z0}}\n");
  }
  return yaml;
}

}  // namespace

// ---- a host

// Answers after some time; what it says is its number. Thread: the simulation's.
class Fleet::Host {
 public:
  Host(Fleet& fleet, size_t number)
      : fleet_(fleet),
        number_(number),
        machine_(fleet.proxy.fabric, fleet_ip(number)),
        address_(*net::Address::from_ip(fleet_ip(number), kStagePort)),
        socket_(std::move(*machine_.network.bind(address_, {}, 1))),
        acceptor_(machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
          connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
        })) {}

  Mood mood() const { return mood_; }
  void set(Mood mood) {
    if (mood == Mood::kDown) {
      fleet_.proxy.fabric.reset_connections_to(address_);
    }
    fleet_.proxy.fabric.set_reach(address_, mood == Mood::kDown ? SimReach::kRefused : SimReach::kOpen);
    mood_ = mood;
  }

 private:
  class Connection final : public SimTalker {
   public:
    Connection(Host& host, std::unique_ptr<net::Transport> transport)
        : SimTalker(host.machine_.loop, host.machine_.network, host.machine_.slabs, std::move(transport)),
          host_(host) {}

   private:
    void on_received() override {
      for (size_t end; (end = received_.find("\r\n\r\n")) != std::string::npos;) {
        const bool check = received_.starts_with("GET /healthz ");
        received_.erase(0, end + 4);
        if (check) {
          answer(host_.mood_ == Mood::kSick ? 503 : 200);
          continue;
        }
        host_.fleet_.was_asked(host_.number_);
        loop().world().after(host_.fleet_.random.between(Duration(10ms), Duration(60ms)),
                             [this, alive = std::weak_ptr(alive_)] {
                               if (!alive.expired()) {
                                 answer(host_.mood_ == Mood::kFailing ? 503 : 200);
                               }
                             });
      }
    }
    void answer(int status) {
      const std::string body = cat("host ", host_.number_);
      send(cat("HTTP/1.1 ", status, " x\r\ncontent-length: ", body.size(), "\r\n\r\n", body));
    }

    Host& host_;
    const std::shared_ptr<int> alive_ = std::make_shared<int>();
  };

  Fleet& fleet_;
  const size_t number_;
  SimMachine machine_;
  const net::Address address_;
  Mood mood_ = Mood::kWell;
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

// ---- who asks

// A connection to the proxy, and the answer that is waited for on it. Thread: the simulation's.
struct Fleet::Call {
  std::unique_ptr<SimCaller> connection;
  SimMessage message;
  bool waits = false;
};

Fleet::Fleet(uint64_t seed, Trace trace, const FleetConfig& config)
    : proxy(seed, fleet_yaml(config), nullptr, filters::builtin(), 1 + seed % 3),
      violations(proxy.world),
      random(proxy.world.random().fork()),
      began_(proxy.world.now()),
      fails_(config.hosts) {
  SLUICE_CHECK(proxy.error.empty());
  if (trace == Trace::kPrinted) {
    proxy.world.print_trace();
  }
  proxy.world.buggify();
  proxy.fabric.faults() = SimFaults::uneven(random);
  for (size_t i = 0; i < config.hosts; ++i) {
    hosts_.push_back(std::make_unique<Host>(*this, i));
  }
  proxy.world.run_for(2s);  // the first checks
  for (size_t i = 0; i < config.hosts; ++i) {
    const std::string address = net::Address::from_ip(fleet_ip(i), kStagePort)->to_string();
    for (const auto& cluster : proxy.server->shared_clusters()) {
      for (const auto& host : cluster->hosts()->hosts) {
        if (host->address().to_string() == address) {
          known_.push_back(host.get());
        }
      }
    }
  }
  SLUICE_CHECK(known_.size() == config.hosts);
  seen_.asked.resize(config.hosts);
  invariants_.emplace(proxy, kStageLimit, violations, std::vector<std::string>{"origin"});
  proxy.world.after_step([this] {
    invariants_->check();
    look_at_failing();
    if (check_) {
      check_();
    }
  });
}

Fleet::~Fleet() = default;

void Fleet::set(size_t host, Mood mood) {
  proxy.world.trace("mood", host, static_cast<uint64_t>(mood));
  hosts_[host]->set(mood);
}

void Fleet::set_all(Mood mood) {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    set(i, mood);
  }
}

Fleet::Mood Fleet::mood(size_t host) const { return hosts_[host]->mood(); }

uint8_t Fleet::failing(size_t host) const { return known_[host]->failing.load(std::memory_order_relaxed); }

void Fleet::look_at_failing() {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (failing(i) == 0) {
      fails_[i].reset();
    } else if (!fails_[i]) {
      fails_[i] = proxy.world.now();
    }
  }
}

void Fleet::was_asked(size_t host) {
  ++seen_.asked[host];
  const bool known = fails_[host] && proxy.world.now() - *fails_[host] > kMoment;
  violations.expect(!spares_ || !known, cat("a host that fails is asked: ", host));
  if (on_asked_) {
    on_asked_(host);
  }
}

void Fleet::load(uint32_t per_second, Duration time) {
  const uint64_t count = static_cast<uint64_t>(time.count()) * per_second / 1'000'000'000;
  for (uint64_t i = 0; i < count; ++i) {
    proxy.world.after(random.between(Duration(0), time), [this] { ask(); });
  }
  proxy.world.run_for(time);
}

void Fleet::settle() {
  const bool done = proxy.world.run_until(
      [this] { return std::none_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->waits; }); }, 60s);
  violations.expect(done, "an answer does not come");
}

void Fleet::ask() {
  if (idle_.empty()) {
    calls_.push_back(std::make_unique<Call>());
    idle_.push_back(calls_.back().get());
  }
  Call& call = *idle_.back();
  idle_.pop_back();
  if (call.connection == nullptr || call.connection->ended()) {
    call.connection = std::make_unique<SimCaller>(proxy.clients, kStageProxy, [this, of = &call] { answered(*of); });
  }
  call.waits = true;
  call.message.begin_anew();
  ++seen_.begun;
  ++outcomes_.begun;
  call.connection->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
}

void Fleet::answered(Call& call) {
  if (!call.waits) {
    return;
  }
  call.message.take(call.connection->bytes());
  const bool complete = call.message.state() == SimMessage::State::kComplete;
  if (!complete && !call.connection->ended()) {
    return;
  }
  call.waits = false;
  idle_.push_back(&call);
  const bool whole = complete && call.message.status() == 200 && call.message.body().starts_with("host ");
  violations.expect(!strict_ || whole,
                    cat("a request fails: status ", call.message.status(), " ", call.message.body()));
  if (whole) {
    ++seen_.whole;
    ++outcomes_.whole;
  } else {
    ++(complete ? seen_.error : seen_.cut);
    ++(complete ? outcomes_.error : outcomes_.cut);
  }
}

uint64_t Fleet::Seen::asked_in_all() const { return std::accumulate(asked.begin(), asked.end(), uint64_t{0}); }

uint64_t Fleet::Seen::asked_in(size_t zone, size_t zones) const {
  uint64_t sum = 0;
  for (size_t i = zone; i < asked.size(); i += zones) {
    sum += asked[i];
  }
  return sum;
}

Fleet::Seen Fleet::take() {
  Seen fresh;
  fresh.asked.resize(hosts_.size());
  return std::exchange(seen_, std::move(fresh));
}

Played Fleet::end() {
  settle();
  Played run;
  run.outcomes = outcomes_;
  violations.expect(outcomes_.sum() == outcomes_.begun, "an exchange without exactly one outcome");
  for (auto& call : calls_) {
    if (call->connection != nullptr) {
      call->connection->close();
    }
  }
  proxy.world.run_for(10s);
  invariants_->expect_quiet();
  violations.expect(
      proxy.platform.files().lines("/log").size() == invariants_->http(stats::HttpStat::kDownstreamRqTotal),
      "exchanges and lines of the log differ");
  invariants_.reset();
  violations.expect(proxy.stop(), "the drained server does not end");
  run.take(proxy.world, began_, violations);
  return run;
}

}  // namespace sluice::test
