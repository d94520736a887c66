// Configuration that changes many times in a second under traffic, out of files or from a control plane that dies and
// comes back, with bad resources among the good ones. No request fails by it; nothing is served by what was replaced
// once the proxy has said that it took the new; nothing of what came and went is left.
#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "test/sim/sim_control_plane.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

enum class Way : uint8_t { kSotw, kDelta, kFiles };

const net::Address kPlane = *net::Address::from_ip("10.0.0.30", 18000);
constexpr size_t kOrigins = 4;
// From the answer of main to the last worker that has it.
constexpr Duration kTaken = 50ms;
// A file is read when its watch says so.
constexpr Duration kFileTaken = 500ms;
// Long enough for the longest answer.
constexpr Duration kDrain = 5s;
// Neither late nor with a body that lasts longer than drains.
constexpr std::string_view kAnswers = "lllcci";

// Resources as text.
class Texts {
 public:
  explicit Texts(Way way) : way_(way) {}

  std::string source(std::string_view file) const {
    return way_ == Way::kFiles ? cat("{resource_api_version: V3, path_config_source: {path: /config/", file, ".yaml}}")
                               : "{resource_api_version: V3, ads: {}}";
  }
  std::string cluster(std::string_view name, std::string_view more) const {
    return cat("- {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: ", name, ", type: EDS, ",
               "connect_timeout: 2s, eds_cluster_config: {eds_config: ", source(cat("endpoints_", name)), "}", more,
               "}\n");
  }
  static std::string endpoints(std::string_view name, size_t first, size_t count) {
    std::string out =
        cat("- {\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: ", name,
            ", endpoints: [{lb_endpoints: [");
    for (size_t i = 0; i < count; ++i) {
      append(out, i == 0 ? "" : ", ", "{endpoint: {address: {socket_address: {address: ", origin(first + i),
             ", port_value: ", kStagePort, "}}}}");
    }
    return out + "]}]}\n";
  }
  static std::string origin(size_t number) { return cat("10.0.0.", 40 + number % kOrigins); }
  static std::string routes(uint64_t version, uint64_t weight, std::string_view moved) {
    return cat(
        "- {\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: table, "
        "response_headers_to_add: [{header: {key: x-version, value: \"",
        version,
        "\"}}], virtual_hosts: [{name: all, "
        "domains: [\"*\"], routes: [{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: a, weight: ",
        weight, "}, {name: b, weight: ", 100 - weight, "}, {name: ", moved, ", weight: 20}]}}}]}]}\n");
  }
  std::string listener(std::string_view name, uint64_t port, uint64_t idle) const {
    return cat(
        "- {\"@type\": type.googleapis.com/envoy.config.listener.v3.Listener, name: ", name,
        ", per_connection_buffer_limit_bytes: ", kStageLimit,
        ", address: {socket_address: {address: 10.0.0.2, port_value: ", port,
        "}}, filter_chains: [{filters: [{name: hcm, "
        "typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager, stat_prefix: ",
        name, ", stream_idle_timeout: ", idle, "s, rds: {route_config_name: table, config_source: ", source("routes"),
        "}, http_filters: [{name: router, typed_config: {\"@type\": "
        "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}]}]}\n");
  }
  std::string bootstrap() const {
    const std::string dynamic =
        way_ == Way::kFiles
            ? cat("  cds_config: ", source("clusters"), "\n  lds_config: ", source("listeners"), "\n")
            : cat("  ads_config: {api_type: ", way_ == Way::kDelta ? "DELTA_GRPC" : "GRPC",
                  ", transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds}}]}\n  cds_config: ",
                  source(""), "\n  lds_config: ", source(""), "\n");
    return cat("node: {id: simulated, cluster: simulated}\ndynamic_resources:\n", dynamic,
               "static_resources:\n  clusters:\n  - name: xds\n    connect_timeout: 1s\n    "
               "typed_extension_protocol_options:\n"
               "      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n        \"@type\": "
               "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n"
               "        explicit_http_config: {http2_protocol_options: {}}\n"
               "    load_assignment:\n      cluster_name: xds\n      endpoints: [{lb_endpoints: [{endpoint: {address: "
               "{socket_address: {address: 10.0.0.30, port_value: 18000}}}}]}]\n");
  }

 private:
  const Way way_;
};

// Resources are compiled as long as the server lives.
const config::Extensions& extensions() {
  static const config::Extensions all = filters::builtin();
  return all;
}

server::Options options() {
  server::Options out;
  out.drain_time = kDrain;
  out.drain_strategy = "immediate";
  return out;
}

// A proxy under traffic and what changes it. Thread: the simulation's.
class Updates {
 public:
  Updates(uint64_t seed, Trace trace)
      : way_(static_cast<Way>(seed % 3)),
        rough_(seed % 4 == 3),
        texts_(way_),
        proxy_(
            seed, texts_.bootstrap(), nullptr, extensions(), 1 + seed % 3, [](SimZone&) {}, options(),
            [](SimFiles& files) {
              for (const char* name : {"clusters", "listeners"}) {
                files.write(cat("/config/", name, ".yaml"), "resources: []\n");
              }
            }),
        violations_(proxy_.world),
        ledger_(violations_),
        random_(proxy_.world.random().fork()),
        plane_machine_(proxy_.fabric, "10.0.0.30"),
        plane_(plane_machine_, kPlane),
        began_(proxy_.world.now()) {
    SLUICE_CHECK(proxy_.error.empty());
    log::set_level(log::Level::kError);  // a control plane that goes is told each time
    ledger_.most_tries = 2;
    if (trace == Trace::kPrinted) {
      proxy_.world.print_trace();
    }
    proxy_.world.buggify();
    for (size_t i = 0; i < kOrigins; ++i) {
      machines_.push_back(std::make_unique<SimMachine>(proxy_.fabric, Texts::origin(i)));
      origins_.push_back(std::make_unique<TrafficOrigin>(
          *machines_.back(), *net::Address::from_ip(Texts::origin(i), kStagePort), ledger_));
      origins_.back()->behave();
    }
    endpoints("a");
    endpoints("b");
    endpoints(moved_);
    clusters({});
    routes();
    listeners();
    publish();
    plane_.start();
    violations_.expect(settle(), "the first configuration does not come into force");
  }

  void play() {
    SimRandom random(random_.fork());
    proxy_.fabric.faults() = rough_ ? SimFaults::rough(random) : SimFaults::uneven(random);
    for (int i = 0; i < 6; ++i) {
      clients_.push_back(
          std::make_unique<TrafficClient>(proxy_.clients, kStageProxy, SimRandom(random.next()), ledger_));
      TrafficClient& client = *clients_.back();
      client.on_whole([this, &client, connection = uint64_t{0}, last = uint64_t{0}](const SimMessage& message,
                                                                                    MonotonicTime sent) mutable {
        if (std::exchange(connection, client.connections()) != client.connections()) {
          last = 0;
        }
        check_version(message, sent, last);
      });
      client.try_again_on_fresh();
      client.slow_down(300ms);
      if (!rough_) {
        client.behave();
      }
      client.run(1'000'000, kAnswers);
    }
    for (int i = 0; i < 40; ++i) {
      change();
      proxy_.world.run_for(random_.between(Duration(0), Duration(100ms)));
      if (i == 15 || i == 30) {
        restart();
      }
    }
    for (auto& client : clients_) {
      client->stop();
    }
    const bool done = proxy_.world.run_until([this] { return all_done(); }, 60s);
    violations_.expect(done || rough_, "an answer does not come");
  }

  void recover() {
    proxy_.fabric.faults() = SimFaults();
    if (!plane_.running()) {
      plane_.start();
    }
    bad_cluster();
    routes();
    publish();
    violations_.expect(settle(), "the last configuration does not come into force");
    proxy_.world.run_for(10s);
    for (auto& client : clients_) {
      client->behave();
      client->run(3, kAnswers);
    }
    violations_.expect(proxy_.world.run_until([this] { return all_done(); }, 60s), "an answer does not come");
  }

  Played end() {
    Played run;
    for (auto& client : clients_) {
      client->leave();
      run.outcomes.add(client->outcomes());
    }
    violations_.expect(run.outcomes.sum() == run.outcomes.begun, "an exchange without exactly one outcome");
    proxy_.world.run_for(kDrain + 10s);
    check_clusters();
    violations_.expect(stat("cluster_manager.warming_clusters") == 0, "a cluster warms for ever");
    violations_.expect(stat("listener_manager.total_listeners_warming") == 0, "a listener warms for ever");
    violations_.expect(stat("listener_manager.total_listeners_draining") == 0, "a listener drains for ever");
    violations_.expect(stat("listener_manager.total_filter_chains_draining") == 0, "a filter chain drains for ever");
    violations_.expect(stat("http.main.downstream_rq_active") == 0, "exchanges are left");
    violations_.expect(stat("http.main.downstream_cx_active") == 0, "connections are left");
    violations_.expect(stat("cluster_manager.cds.update_rejected") > 0, "no bad cluster was refused");
    for (const std::string& name : {std::string("a"), std::string("b"), moved_}) {
      violations_.expect(stat(cat("cluster.", name, ".upstream_rq_active")) == 0, "upstream streams are left");
      violations_.expect(stat(cat("cluster.", name, ".upstream_rq_pending_active")) == 0, "requests wait in a pool");
    }
    violations_.expect(Invariants::buffered() <= 4 << 20, "buffered bytes are left");
    plane_.stop();
    violations_.expect(proxy_.stop(), "the drained server does not end");
    run.take(proxy_.world, began_, violations_);
    return run;
  }

 private:
  // ---- what changes

  void change() {
    ++number_;
    const uint64_t what = random_.below(10);
    proxy_.world.trace("change", what, number_);
    switch (what) {
      case 0:
        endpoints("a");
        break;
      case 1:
        endpoints("b");
        break;
      case 2:
        clusters({});
        break;
      case 3:
        move();
        return;
      case 4:
        listeners();
        break;
      case 5:
        bad_cluster();
        break;
      case 6:
        bad_text();
        break;
      case 7:
        good_again();
        break;
      case 8:
        break_stream();
        return;
      default:
        routes();
    }
    publish();
    if (random_.chance(300)) {
      violations_.expect(settle() || rough_ || bad_, "a change does not come into force");
    }
  }

  void endpoints(std::string_view name) {
    const uint64_t first = random_.below(kOrigins);
    write(cat("endpoints_", name), Texts::endpoints(name, first, random_.between(1, kOrigins - 1)));
  }
  // Those that there are, warm again; `also`: one more.
  void clusters(std::string_view also) {
    const std::string more = cat(", connect_timeout: 2.", 100 + number_ % 900, "s");
    std::string text = texts_.cluster("b", number_ % 2 == 0 ? ", lb_policy: RANDOM" : "") + texts_.cluster(moved_, "");
    std::string a = texts_.cluster("a", "");
    replace_first(a, ", connect_timeout: 2s", more);
    append(text, a, also.empty() ? "" : texts_.cluster(also, ""), bad_cluster_);
    write("clusters", std::move(text));
  }
  void routes() {
    ++version_;
    write("routes", Texts::routes(version_, 1 + random_.below(98), moved_));
  }
  // The filter chain is another; and a listener that nobody uses comes and goes.
  void listeners() {
    std::string text = texts_.listener("main", 8080, 300 + number_ % 100);
    if (random_.chance(500)) {
      text += texts_.listener("other", 8081, 300);
    }
    write("listeners", std::move(text));
  }
  // Traffic moves from one cluster to another, which is new; the old one goes. A control plane finds the order itself.
  void move() {
    const std::string old = std::exchange(moved_, cat("m", number_));
    endpoints(moved_);
    if (way_ == Way::kFiles) {
      clusters(old);
      proxy_.world.run_for(kFileTaken);
    }
    routes();
    if (way_ == Way::kFiles) {
      proxy_.world.run_for(kFileTaken);
    }
    clusters({});
    forget(cat("endpoints_", old));
    publish();
  }
  // The proxy refuses it, and takes the rest. What is new comes before: in force, but come with something refused, it
  // is nothing that the proxy says to hold, as in Envoy; a new stream of delta would not know of it.
  void bad_cluster() {
    good_again();
    publish();
    if (!settle()) {
      return;
    }
    bad_cluster_ = cat(
        "- {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: bad, connect_timeout: ", 1 + number_,
        "s, lb_policy: LOAD_BALANCING_POLICY_CONFIG}\n");
    clusters({});
    publish();
    violations_.expect(settle() || rough_, "a bad cluster is not answered");
    good_again();
  }
  // Nobody can read it: a control plane serves what it served, and a proxy keeps what it has.
  void bad_text() {
    bad_ = true;
    write(way_ == Way::kFiles ? "listeners" : "bad", "- {\"@type\": ");
  }
  void good_again() {
    bad_cluster_.clear();
    if (std::exchange(bad_, false)) {
      way_ == Way::kFiles ? listeners() : write("bad", "");
    }
    clusters({});
  }
  // The world goes on without the control plane.
  void restart() {
    if (way_ == Way::kFiles) {
      return;
    }
    // After a restart nobody knows what a client of the state of the world holds: what it was still to move away from
    // would be gone.
    good_again();
    publish();
    violations_.expect(settle() || rough_, "a change does not come into force");
    plane_.stop();
    proxy_.world.run_for(random_.between(Duration(0), Duration(2s)));
    endpoints("a");
    clusters({});
    publish();
    proxy_.world.run_for(random_.between(Duration(0), Duration(2s)));
    plane_.start();
    if (way_ == Way::kSotw) {
      violations_.expect(settle() || rough_, "the proxy does not come back");
    }
  }
  void break_stream() {
    if (way_ == Way::kDelta) {
      proxy_.fabric.reset_connections_to(kPlane);
    }
  }

  // ---- how it is told

  void write(const std::string& name, std::string text) {
    texts_by_name_[name] = cat("resources:", text.empty() ? " []\n" : "\n", text);
    if (way_ == Way::kFiles) {
      proxy_.platform.files().write(cat("/config/", name, ".yaml"), texts_by_name_[name]);
    } else {
      plane_.write(cat(name, ".yaml"), texts_by_name_[name]);
    }
  }
  void forget(const std::string& name) { write(name, ""); }
  // A control plane reads its files together.
  void publish() {
    if (way_ != Way::kFiles) {
      const std::string wrong = plane_.read();
      violations_.expect(wrong.empty() || bad_, wrong);
    }
  }
  // Until the proxy has all of it, in force.
  bool settle() {
    if (way_ == Way::kFiles) {
      proxy_.world.run_for(kFileTaken);
    } else if (bad_ || !proxy_.world.run_until([this] { return plane_.in_force(); }, 60s)) {
      return false;
    }
    proxy_.world.run_for(kTaken);
    least_ = version_;
    since_ = proxy_.world.now();
    return true;
  }

  // ---- what must hold

  void check_version(const SimMessage& message, MonotonicTime sent, uint64_t& last) {
    const uint64_t version = parse_number<uint64_t>(message.header("x-version")).value_or(0);
    violations_.expect(version >= last, cat("version ", version, " behind ", last, " on one connection"));
    violations_.expect(version >= least_ || sent < since_, cat("version ", version, " where ", least_, " was taken"));
    last = std::max(last, version);
  }
  void check_clusters() {
    std::set<std::string> are;
    for (const auto& cluster : proxy_.server->shared_clusters()) {
      are.insert(cluster->plan->name);
    }
    std::string names;
    for (const std::string& name : are) {
      append(names, " ", name);
    }
    violations_.expect(are == std::set<std::string>{"a", "b", moved_, "xds"},
                       cat("there are other clusters than should be:", names, "; the newest is ", moved_));
  }
  bool all_done() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->done(); });
  }
  uint64_t stat(std::string_view name) { return proxy_.server->registry().value(name).value_or(0); }

  const Way way_;
  const bool rough_;
  const Texts texts_;
  SimProxy proxy_;
  Violations violations_;
  Ledger ledger_;
  SimRandom random_;
  SimMachine plane_machine_;
  SimControlPlane plane_;
  const MonotonicTime began_;
  std::map<std::string, std::string> texts_by_name_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<TrafficOrigin>> origins_;
  std::vector<std::unique_ptr<TrafficClient>> clients_;
  uint64_t number_ = 0;
  uint64_t version_ = 0;  // of the route table
  std::string moved_ = "m0";
  std::string bad_cluster_;
  bool bad_ = false;  // a text that nobody can read
  // Who asks from `since_` on is answered by this version at least.
  uint64_t least_ = 0;
  MonotonicTime since_;
};

}  // namespace

Played play_updates(uint64_t seed, Trace trace) {
  Updates updates(seed, trace);
  updates.play();
  updates.recover();
  return updates.end();
}

}  // namespace sluice::test
