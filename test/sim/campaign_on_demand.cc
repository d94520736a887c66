// Clusters and virtual hosts that are asked for when a request needs them, at a control plane that answers at once,
// late or never, says that there is none, takes back what it gave, and goes and comes back. No request waits longer
// than its limit; who asks for what is there gets it, at once if that is how it comes; what is taken back is not
// served.
#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "test/sim/sim_grpc_server.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

const net::Address kSource = *net::Address::from_ip("10.0.0.32", 18000);
constexpr std::string_view kClusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
constexpr std::string_view kHostType = "type.googleapis.com/envoy.config.route.v3.VirtualHost";
constexpr std::string_view kTableType = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
constexpr uint64_t kNames = 16;  // of each kind, in each act
// The limits of the waits, and what the network may add.
constexpr Duration kLongest = 4s;
// From the control plane to the last worker, or from a request to the control plane and back.
constexpr Duration kSoon = 1s;

std::string proxy_yaml() {
  return cat(R"(
node: {id: simulated, cluster: simulated}
dynamic_resources:
  ads_config: {api_type: DELTA_GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: source}}]}
)",
             proxy_that_asks("{route_config_name: table, config_source: {resource_api_version: V3, ads: {}}}",
                             R"(          - name: envoy.filters.http.on_demand
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.OnDemand
              odcds: {timeout: 3s, source: {resource_api_version: V3, ads: {}}}
)"),
             R"(
  clusters:
  - name: source
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: source
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.32, port_value: 18000}}}
)");
}

// A host is called table/NAME.test, a cluster NAME.
bool is_host(std::string_view name) { return name.starts_with("table/"); }

std::string host_body(const std::string& name) {
  envoy::config::route::v3::VirtualHost host;
  host.set_name(name);
  const std::string domain = name.substr(name.find('/') + 1);
  host.add_domains(domain);
  auto& route = *host.add_routes();
  route.mutable_match()->set_prefix("/");
  route.mutable_direct_response()->set_status(200);
  route.mutable_direct_response()->mutable_body()->set_inline_string(domain);
  return host.SerializeAsString();
}

std::string cluster_body(const std::string& name) {
  envoy::config::cluster::v3::Cluster cluster;
  cluster.set_name(name);
  cluster.mutable_connect_timeout()->set_seconds(1);
  cluster.mutable_load_assignment()->set_cluster_name(name);
  auto& address = *cluster.mutable_load_assignment()
                       ->add_endpoints()
                       ->add_lb_endpoints()
                       ->mutable_endpoint()
                       ->mutable_address()
                       ->mutable_socket_address();
  address.set_address("10.0.0.9");
  address.set_port_value(9000);
  return cluster.SerializeAsString();
}

// The fixed host's routes go to the cluster that a request names; all others are asked for.
std::string table_body() {
  envoy::config::route::v3::RouteConfiguration table;
  table.set_name("table");
  table.mutable_validate_clusters()->set_value(false);
  auto& host = *table.add_virtual_hosts();
  host.set_name("fixed");
  host.add_domains("fixed.test");
  auto& route = *host.add_routes();
  route.mutable_match()->set_prefix("/");
  route.mutable_route()->set_cluster_header("x-to");
  auto& source = *table.mutable_vhds()->mutable_config_source();
  source.set_resource_api_version(envoy::config::core::v3::V3);
  source.mutable_ads();
  source.mutable_initial_fetch_timeout()->set_seconds(3);
  return table.SerializeAsString();
}

// What the control plane does when it is asked for a name.
enum class Fate : uint8_t { kNow, kLate, kNever, kNone };

// The control plane: one delta stream. Thread: the simulation's.
class Source {
 public:
  Source(SimWorld& world, SimMachine& machine, Violations& violations)
      : world_(world),
        violations_(violations),
        random_(world.random().fork()),
        server_(machine, kSource, {.on_message = [this](const SimGrpcServer::CallPtr& call, std::string_view message) {
                  on_request(call, message);
                }}) {
    start();
  }

  void behave() { well_ = true; }
  void start() { server_.start(); }
  void stop() {
    server_.stop();
    call_.reset();
  }
  bool running() const { return server_.running(); }

  // Decided when it is first spoken of.
  Fate fate_of(const std::string& name) {
    const auto [one, fresh] = fates_.try_emplace(name, Fate::kNow);
    if (fresh && !well_) {
      const uint64_t chance = random_.below(8);
      one->second = chance < 3 ? Fate::kNow : chance < 5 ? Fate::kLate : chance < 6 ? Fate::kNever : Fate::kNone;
    }
    return one->second;
  }
  // Since when the proxy has it, or does not have it any more, whatever it is asked for; nothing: nobody knows.
  std::optional<MonotonicTime> there_since(const std::string& name) const { return since(there_, name); }
  std::optional<MonotonicTime> gone_since(const std::string& name) const { return since(gone_, name); }
  bool took_back(const std::string& name) const { return taken_back_.contains(name); }
  // Since when the proxy is heard.
  std::optional<MonotonicTime> heard_since() const {
    return call_ != nullptr && call_->open() ? std::optional(heard_since_) : std::nullopt;
  }

  // Takes back one of those that it gave.
  void take_back() {
    if (there_.empty() || !heard_since()) return;
    auto victim = there_.begin();
    std::advance(victim, static_cast<ptrdiff_t>(random_.below(there_.size())));
    const std::string name = victim->first;
    there_.erase(victim);
    taken_back_.insert(name);
    world_.trace("take back", name.size(), 0);
    tell_none(name);
  }

 private:
  using Times = std::map<std::string, MonotonicTime>;

  std::optional<MonotonicTime> since(const Times& times, const std::string& name) const {
    const auto found = times.find(name);
    return found == times.end() || !heard_since() ? std::nullopt : std::optional(std::max(found->second, heard_since_));
  }

  void on_request(const SimGrpcServer::CallPtr& call, std::string_view bytes) {
    DeltaDiscoveryRequest request;
    violations_.expect(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())), "no discovery request");
    violations_.expect(!request.has_error_detail(), cat("refused: ", request.error_detail().message()));
    if (call != call_) {
      call_ = call;
      heard_since_ = world_.now();
    }
    for (const auto& [name, version] : request.initial_resource_versions()) {
      if (taken_back_.contains(name)) {
        tell_none(name);
      } else if (fate_of(name) != Fate::kNone) {
        there_[name] = world_.now();
      }
    }
    for (const std::string& name : request.resource_names_subscribe()) {
      if (request.type_url() == kTableType) {
        tell(kTableType, name, table_body());
      } else if (!name.ends_with("*") && name != "table" && !request.initial_resource_versions().contains(name)) {
        answer(name);
      }
    }
  }

  void answer(const std::string& name) {
    if (taken_back_.contains(name)) return tell_none(name);
    switch (well_ ? Fate::kNow : fate_of(name)) {
      case Fate::kNow:
        give(name);
        break;
      case Fate::kLate:
        world_.after(random_.between(Duration(0), Duration(3500ms)),
                     [this, name, call = std::weak_ptr<SimGrpcServer::Call>(call_)] {
                       if (call.lock() == call_ && heard_since() && !taken_back_.contains(name)) give(name);
                     });
        break;
      case Fate::kNever:
        break;
      case Fate::kNone:
        tell_none(name);
        break;
    }
  }

  void give(const std::string& name) {
    there_[name] = world_.now();
    is_host(name) ? tell(kHostType, name, host_body(name)) : tell(kClusterType, name, cluster_body(name));
  }
  // A host that is not there is a resource without a body; what was there is removed.
  void tell_none(const std::string& name) {
    gone_[name] = world_.now();
    if (is_host(name) && !taken_back_.contains(name)) return tell(kHostType, name, "");
    DeltaDiscoveryResponse response = response_of(is_host(name) ? kHostType : kClusterType);
    response.add_removed_resources(name);
    call_->send(response.SerializeAsString());
  }
  void tell(std::string_view type, const std::string& name, const std::string& body) {
    DeltaDiscoveryResponse response = response_of(type);
    auto& one = *response.add_resources();
    one.set_name(name);
    one.set_version("1");
    if (is_host(name)) one.add_aliases(name);
    if (!body.empty()) {
      one.mutable_resource()->set_type_url(std::string(type));
      one.mutable_resource()->set_value(body);
    }
    call_->send(response.SerializeAsString());
  }
  DeltaDiscoveryResponse response_of(std::string_view type) {
    DeltaDiscoveryResponse out;
    out.set_type_url(std::string(type));
    out.set_nonce(cat(++nonce_));
    out.set_system_version_info(out.nonce());
    return out;
  }

  SimWorld& world_;
  Violations& violations_;
  SimRandom random_;
  bool well_ = false;
  std::map<std::string, Fate> fates_;
  Times there_, gone_;
  std::set<std::string> taken_back_;
  SimGrpcServer::CallPtr call_;  // the newest
  MonotonicTime heard_since_;
  uint64_t nonce_ = 0;
  SimGrpcServer server_;
};

// A proxy, its source, and requests for names. Thread: the simulation's.
class OnDemandWorld {
 public:
  OnDemandWorld(uint64_t seed, Trace trace)
      : proxy_(
            seed, proxy_yaml(),
            [](const std::string&, const std::string&) {
              return std::string("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\norigin");
            },
            filters::builtin(), 1 + seed % 3),
        violations_(proxy_.world),
        random_(proxy_.world.random().fork()),
        machine_(proxy_.fabric, "10.0.0.32"),
        source_(proxy_.world, machine_, violations_),
        began_(proxy_.world.now()) {
    SLUICE_CHECK(proxy_.error.empty());
    log::set_level(log::Level::kError);  // a control plane that goes is told each time
    if (trace == Trace::kPrinted) proxy_.world.print_trace();
    proxy_.world.buggify();
    proxy_.world.run_for(5s);
  }

  void play() {
    SimRandom random(random_.fork());
    proxy_.fabric.faults() = SimFaults::uneven(random);
    load(0, 120, 100ms);
    for (int i = 0; i < 6; ++i) {
      proxy_.world.run_for(random_.between(Duration(500ms), Duration(3s)));
      if (random_.chance(300)) {
        source_.stop();
        proxy_.world.run_for(random_.between(Duration(0), Duration(2s)));
        source_.start();
      } else {
        source_.take_back();
      }
    }
    settle();
  }

  // From now on it answers at once.
  void recover() {
    source_.behave();
    source_.stop();
    source_.start();
    violations_.expect(proxy_.world.run_until([this] { return source_.heard_since().has_value(); }, 60s),
                       "the proxy does not come back to its control plane");
    proxy_.world.run_for(2 * kSoon);
    const uint64_t before = served_;
    load(kNames, 60, 50ms);
    settle();
    violations_.expect(served_ - before == 60, "what is there at once is not served");
  }

  Played end() {
    Played run;
    run.outcomes.begun = asks_.size();
    run.outcomes.whole = served_;
    run.outcomes.error = asks_.size() - served_;
    asks_.clear();
    proxy_.world.run_for(10s);
    violations_.expect(stat("http.main.downstream_rq_active") == 0, "exchanges are left");
    violations_.expect(stat("http.main.downstream_cx_active") == 0, "connections are left");
    violations_.expect(stat("cluster_manager.warming_clusters") == 0, "a cluster warms for ever");
    source_.stop();
    violations_.expect(proxy_.stop(), "the drained server does not end");
    run.take(proxy_.world, began_, violations_);
    return run;
  }

 private:
  // One request, on a connection of its own.
  struct Ask {
    std::string name;
    MonotonicTime sent;
    bool at_once = false;    // the source is heard, and says at once what it knows
    bool must_come = false;  // the proxy had it before
    bool must_not = false;   // it is not there, or not any more
    bool done = false;
    SimMessage answer;
    std::unique_ptr<SimCaller> caller;
  };

  void load(uint64_t first_name, int requests, Duration pause) {
    if (requests == 0) return;
    const uint64_t number = first_name + random_.below(kNames);
    ask(random_.chance(500) ? cat("c", number) : cat("table/h", number, ".test"));
    ++under_way_;
    proxy_.world.after(random_.between(Duration(0), 2 * pause), [this, first_name, requests, pause] {
      --under_way_;
      load(first_name, requests - 1, pause);
    });
  }

  void ask(std::string name) {
    asks_.push_back(std::make_unique<Ask>());
    Ask& ask = *asks_.back();
    const MonotonicTime now = ask.sent = proxy_.world.now();
    const auto before = [now](std::optional<MonotonicTime> time) { return time && now - *time >= kSoon; };
    const Fate fate = source_.fate_of(name);
    ask.must_come = before(source_.there_since(name));
    ask.must_not = fate == Fate::kNone || fate == Fate::kNever || before(source_.gone_since(name));
    // A cluster that there is not may come at any time; for a host that there is not nobody waits.
    ask.at_once = before(source_.heard_since()) && !source_.took_back(name) &&
                  (fate == Fate::kNow || (fate == Fate::kNone && is_host(name)));
    ask.name = std::move(name);
    ask.caller = std::make_unique<SimCaller>(proxy_.clients, kStageProxy, [this, &ask] { on_news(ask); });
    const bool host = is_host(ask.name);
    const std::string head =
        cat(" / HTTP/1.1\r\nhost: ", host ? ask.name.substr(6) : "fixed.test", "\r\nx-to: ", ask.name, "\r\n");
    ask.caller->send(random_.chance(300) ? cat("POST", head, "content-length: 5\r\n\r\nhello")
                                         : cat("GET", head, "\r\n"));
  }

  void on_news(Ask& ask) {
    if (ask.done) return;
    ask.answer.take(ask.caller->bytes());
    if (ask.answer.state() == SimMessage::State::kComplete) {
      ask.done = true;
      judge(ask);
      ask.caller->close();
    } else if (ask.caller->ended()) {
      ask.done = true;
      violations_.expect(false, cat("no answer for ", ask.name));
    }
  }

  void judge(const Ask& ask) {
    const Duration took = proxy_.world.now() - ask.sent;
    const int status = ask.answer.status();
    const bool host = is_host(ask.name);
    proxy_.world.trace("answer", static_cast<uint64_t>(status), static_cast<uint64_t>(to_ms(took)));
    const bool whole = status == 200;
    served_ += whole;
    violations_.expect(whole || status == (host ? 404 : 503), cat("status ", status, " for ", ask.name));
    violations_.expect(!whole || ask.answer.body() == (host ? ask.name.substr(6) : "origin"),
                       cat("the answer of another: ", ask.answer.body(), " for ", ask.name));
    violations_.expect(!whole || !ask.must_not, cat("served what is not there: ", ask.name));
    violations_.expect(took <= kLongest, cat(to_ms(took), " ms for ", ask.name));
    // It may have been taken back, and the source may have gone, after the request was sent.
    const bool still = source_.there_since(ask.name) && *source_.there_since(ask.name) <= ask.sent;
    violations_.expect(whole || !ask.must_come || !still, cat("not served what is there: ", ask.name));
    const bool heard = source_.heard_since() && *source_.heard_since() <= ask.sent;
    violations_.expect(!ask.at_once || !heard || source_.took_back(ask.name) || took <= kSoon,
                       cat("at once is ", to_ms(took), " ms for ", ask.name));
  }

  void settle() {
    violations_.expect(proxy_.world.run_until([this] { return under_way_ == 0 && all_done(); }, 60s),
                       "an answer does not come");
  }
  bool all_done() const {
    return std::all_of(asks_.begin(), asks_.end(), [](const auto& ask) { return ask->done; });
  }
  uint64_t stat(std::string_view name) { return proxy_.server->registry().value(name).value_or(0); }

  SimProxy proxy_;
  Violations violations_;
  SimRandom random_;
  SimMachine machine_;
  Source source_;
  const MonotonicTime began_;
  std::vector<std::unique_ptr<Ask>> asks_;
  uint64_t under_way_ = 0;  // of load()
  uint64_t served_ = 0;
};

}  // namespace

Played play_on_demand(uint64_t seed, Trace trace) {
  OnDemandWorld world(seed, trace);
  world.play();
  world.recover();
  return world.end();
}

}  // namespace sluice::test
