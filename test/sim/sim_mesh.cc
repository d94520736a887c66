#include "test/sim/sim_mesh.h"

#include <malloc.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "filters/builtin.h"
#include "stats/names_http.h"
#include "test/sim/sim_peers.h"
#include "test/sim/sim_platform.h"
#include "test/sim/sim_traffic.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr uint16_t kOutbound = 15001, kInbound = 15006, kOrigin = 9000;

std::string sidecar_ip(size_t number) { return cat("10.1.0.", 1 + number); }
std::string origin_ip(size_t number) { return cat("10.2.", number / 250, ".", 1 + number % 250); }
std::string client_ip(size_t sidecar) { return cat("10.3.0.", 1 + sidecar); }

std::string listener(std::string_view name, size_t sidecar, uint16_t port, std::string_view routes) {
  return cat("  - name: ", name, "\n    address: {socket_address: {address: ", sidecar_ip(sidecar),
             ", port_value: ", port,
             "}}\n    filter_chains: [{filters: [{name: hcm, typed_config: {\"@type\": type.googleapis.com/"
             "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: ",
             name, ", route_config: {virtual_hosts: [{name: all, domains: [\"*\"], routes: [", routes,
             "]}]}, http_filters: [{name: router, typed_config: {\"@type\": "
             "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}]}]\n");
}

std::string cluster(std::string_view name, const std::string& ip, uint16_t port) {
  return cat("  - {name: ", name, ", connect_timeout: 1s, load_assignment: {cluster_name: ", name,
             ", endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ", ip,
             ", port_value: ", port, "}}}}]}]}}\n");
}

// /N/... is for origin N, which is behind sidecar N % sidecars.
std::string sidecar_yaml(size_t sidecar, const MeshSize& size) {
  std::string outbound, inbound, clusters;
  for (size_t i = 0; i < size.origins; ++i) {
    append(outbound, i == 0 ? "" : ", ", "{match: {prefix: /", i, "/}, route: {cluster: sidecar_", i % size.sidecars,
           "}}");
    if (i % size.sidecars == sidecar) {
      append(inbound, inbound.empty() ? "" : ", ", "{match: {prefix: /", i, "/}, route: {cluster: origin_", i, "}}");
      clusters += cluster(cat("origin_", i), origin_ip(i), kOrigin);
    }
  }
  for (size_t i = 0; i < size.sidecars; ++i) {
    clusters += cluster(cat("sidecar_", i), sidecar_ip(i), kInbound);
  }
  return cat("static_resources:\n  listeners:\n", listener("outbound", sidecar, kOutbound, outbound),
             listener("inbound", sidecar, kInbound, inbound), "  clusters:\n", clusters);
}

// Owned by the mesh. Thread: the simulation's.
struct Sidecar {
  Sidecar(SimFabric& fabric, size_t number, const MeshSize& size) : platform(fabric, sidecar_ip(number)) {
    config::BootstrapOptions source;
    const std::string yaml = sidecar_yaml(number, size);
    source.yaml = yaml;
    config::CompileOutcome outcome = config::compile_bootstrap(source, filters::builtin(), &platform.files());
    SLUICE_CHECK(outcome.bootstrap.has_value());
    server::Options options;
    options.concurrency = 1;
    server = std::make_unique<server::Server>(platform, options, std::move(*outcome.bootstrap));
    SLUICE_CHECK(bool(server->start()));
  }
  SimPlatform platform;
  std::unique_ptr<server::Server> server;
};

struct Counts {
  uint64_t asked = 0, whole = 0, failed = 0;
};

// Asks for a page again and again, and checks that it is the one that it asked for. Thread: the simulation's.
class Client {
 public:
  Client(SimMachine& machine, const net::Address& proxy, const MeshSize& size, SimRandom random, Counts& counts)
      : machine_(machine),
        proxy_(proxy),
        size_(size),
        random_(random),
        counts_(counts),
        next_(machine.loop.timers(), [this] { ask(); }) {
    next_.arm(random_.between(Duration(0), size.pause));
  }
  void stop() {
    next_.cancel();
    connection_.reset();
  }
  bool idle() const { return page_.empty(); }

 private:
  void ask() {
    if (connection_ == nullptr || connection_->ended()) {
      connection_ = std::make_unique<SimCaller>(machine_, proxy_, [this] { on_bytes(); });
    }
    ++counts_.asked;
    const uint64_t origin = random_.below(size_.origins);
    page_ = cat("/", origin, "/", random_.next());
    message_.begin_anew();
    connection_->send(cat("GET ", page_, " HTTP/1.1\r\nhost: mesh\r\n\r\n"));
  }
  void on_bytes() {
    if (page_.empty()) {
      return;
    }
    message_.take(connection_->bytes());
    const bool complete = message_.state() == SimMessage::State::kComplete;
    if (complete || connection_->ended()) {
      const bool whole = complete && message_.status() == 200 && message_.body().starts_with(page_);
      ++(whole ? counts_.whole : counts_.failed);
      page_.clear();
      next_.arm(size_.pause / 2 + random_.between(Duration(0), size_.pause));
    }
  }

  SimMachine& machine_;
  const net::Address proxy_;
  const MeshSize& size_;
  SimRandom random_;
  Counts& counts_;
  std::unique_ptr<SimCaller> connection_;
  SimMessage message_;
  std::string page_;  // empty: none is asked for
  event::Timer next_;
};

// The page that was asked for, and something behind it.
std::string respond(const std::string& head, const std::string&) {
  const size_t from = head.find(' ') + 1;
  std::string body = head.substr(from, head.find(' ', from) - from);
  body.append(512, '.');
  return cat("HTTP/1.1 200 OK\r\ncontent-length: ", body.size(), "\r\n\r\n", body);
}

size_t heap_bytes() {
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

// Thread: the simulation's.
class Mesh {
 public:
  Mesh(uint64_t seed, const MeshSize& size) : size_(size), world_(seed), fabric_(world_), violations_(world_) {
    log::set_level(log::Level::kWarning);
    const size_t before = heap_bytes();
    for (size_t i = 0; i < size.sidecars; ++i) {
      sidecars_.push_back(std::make_unique<Sidecar>(fabric_, i, size));
    }
    world_.run_for(1s);
    run_.bytes_per_proxy = (heap_bytes() - before) / size.sidecars;
    for (size_t i = 0; i < size.origins; ++i) {
      origin_machines_.push_back(std::make_unique<SimMachine>(fabric_, origin_ip(i)));
      origins_.push_back(std::make_unique<SimOrigin>(*origin_machines_.back(),
                                                     *net::Address::from_ip(origin_ip(i), kOrigin), respond));
    }
    for (size_t i = 0; i < size.sidecars; ++i) {
      client_machines_.push_back(std::make_unique<SimMachine>(fabric_, client_ip(i)));
    }
    for (size_t i = 0; i < size.clients; ++i) {
      const size_t sidecar = i % size.sidecars;
      clients_.push_back(std::make_unique<Client>(*client_machines_[sidecar],
                                                  *net::Address::from_ip(sidecar_ip(sidecar), kOutbound), size_,
                                                  SimRandom(world_.random().fork()), counts_));
    }
  }

  void play() {
    for (Duration done{0}; done < size_.time; done += 1s) {
      world_.run_for(1s);
      check();
      if (world_.random().chance(100)) {
        fabric_.reset_connections_to(*net::Address::from_ip(origin_ip(world_.random().below(size_.origins)), kOrigin));
        ++run_.resets;
      }
    }
  }

  MeshRun end() {
    world_.run_until(
        [this] { return std::all_of(clients_.begin(), clients_.end(), [](auto& c) { return c->idle(); }); }, 30s);
    violations_.expect(counts_.asked == counts_.whole + counts_.failed, "a request without exactly one outcome");
    // Whoever waits for an origin that goes away is told so; nobody else fails.
    violations_.expect(counts_.failed <= run_.resets * 2, "requests failed without a reason");
    for (auto& client : clients_) {
      client->stop();
    }
    world_.run_for(5s);
    for (auto& sidecar : sidecars_) {
      stats::Registry& registry = sidecar->server->registry();
      for (const char* gauge : {"http.outbound.downstream_rq_active", "http.outbound.downstream_cx_active",
                                "http.inbound.downstream_rq_active"}) {
        violations_.expect(registry.value(gauge) == 0, cat("something is left: ", gauge));
      }
      sidecar->server->shutdown();
    }
    const bool ended = world_.run_until(
        [this] {
          return std::all_of(sidecars_.begin(), sidecars_.end(), [](auto& one) { return one->server->ended(); });
        },
        20s);
    violations_.expect(ended, "a drained sidecar does not end");
    run_.hash = world_.trace_hash();
    run_.steps = world_.steps();
    run_.whole = counts_.whole;
    run_.failed = counts_.failed;
    run_.violation = violations_.first();
    return run_;
  }

 private:
  // Of one sidecar, a different one each time.
  void check() {
    stats::Registry& registry = sidecars_[checked_++ % sidecars_.size()]->server->registry();
    const auto value = [&](std::string_view name) { return registry.value(name).value_or(0); };
    for (const std::string_view manager : {"http.outbound.", "http.inbound."}) {
      const uint64_t active = value(cat(manager, "downstream_cx_active"));
      violations_.expect(
          value(cat(manager, "downstream_cx_total")) - value(cat(manager, "downstream_cx_destroy")) == active,
          "created - destroyed != live connections");
      violations_.expect(value(cat(manager, "downstream_rq_active")) <= active, "more exchanges than connections");
    }
  }

  const MeshSize size_;
  SimWorld world_;
  SimFabric fabric_;
  Violations violations_;
  Counts counts_;
  MeshRun run_;
  size_t checked_ = 0;
  std::vector<std::unique_ptr<Sidecar>> sidecars_;
  std::vector<std::unique_ptr<SimMachine>> origin_machines_, client_machines_;
  std::vector<std::unique_ptr<SimOrigin>> origins_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace

MeshRun play_mesh(uint64_t seed, const MeshSize& size) {
  Mesh mesh(seed, size);
  mesh.play();
  return mesh.end();
}

}  // namespace sluice::test
