// A control plane that says anything in any order: resources of bytes that are no such message, or just another one,
// of other types than they say, twice in a response, nonces again, streams that end. The proxy lives, says of each
// refusal why, and serves as soon as what comes is good.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/check.h"
#include "base/strings.h"
#include "config/any.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "test/sim/sim_grpc_server.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;

const net::Address kHostile = *net::Address::from_ip("10.0.0.30", 18000);

constexpr std::string_view kGoodResources = R"(
resources:
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: c1
  type: EDS
  connect_timeout: 1s
  eds_cluster_config: {eds_config: {resource_api_version: V3, ads: {}}}
- "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: c1
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9000}}}}]}]
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
  filter_chains:
  - filters:
    - name: hcm
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: main
        rds: {route_config_name: r1, config_source: {resource_api_version: V3, ads: {}}}
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: r1
  virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: c1}}]}]
)";

// Resources by the URL of their type, serialized.
std::map<std::string, std::string> good_resources() {
  DiscoveryResponse read;
  config::SourceMap map;
  config::Findings findings;
  SLUICE_CHECK(config::read_text(config::Format::Yaml, kGoodResources, "good", read, map, findings, {}));
  std::map<std::string, std::string> out;
  for (const auto& any : read.resources()) {
    const auto content = config::unpack(any, map);
    SLUICE_CHECK(content.ok());
    out[any.type_url()] = config::bytes_of(**content);
  }
  return out;
}

// One aggregated stream of the state of the world. Thread: the simulation's.
class HostilePlane {
 public:
  HostilePlane(SimWorld& world, SimMachine& machine)
      : random_(world.random().fork()),
        server_(machine, kHostile, {.on_message = [this](const SimGrpcServer::CallPtr& call, std::string_view bytes) {
                  on_request(call, bytes);
                }}) {
    server_.start();
  }

  // Nobody can tell what comes next.
  void misbehave() {
    if (call_ == nullptr || !call_->open() || asked_.empty()) {
      return;
    }
    uint64_t what = random_.below(60);
    if (what == 0) {
      call_->end("14");
      return;
    }
    if (what == 1) {
      call_->send(garbage());
      return;
    }
    what = 2 + what % 18;
    DiscoveryResponse response = response_of(any_of(asked_));
    auto& resource = *response.mutable_resources(0);
    if (what < 9) {
      resource.set_value(mutated(resource.value()));
    } else if (what == 9) {
      resource.set_value(garbage());
    } else if (what == 10) {
      resource.set_type_url(any_of(asked_));
    } else if (what == 11) {
      resource.set_type_url(garbage());
    } else if (what == 12) {
      response.set_type_url(any_of(asked_));
    } else if (what == 13) {
      response.set_type_url(garbage());
    } else if (what == 14) {
      *response.add_resources() = response.resources(0);
    } else if (what == 15) {
      response.clear_resources();
    } else if (what == 16) {
      response.set_nonce(last_nonce_);
    } else if (what == 17) {
      response.clear_nonce();
    } else if (what == 18) {
      response.clear_version_info();
    }
    last_nonce_ = response.nonce();
    call_->send(response.SerializeAsString());
  }
  // From now on what is asked for comes, as it should be.
  void behave() {
    well_ = true;
    for (const std::string& type : asked_) {
      if (call_ != nullptr && call_->open()) give(type);
    }
  }
  size_t refused() const { return refused_; }
  size_t taken() const { return taken_; }
  bool settled() const {
    return std::all_of(good_.begin(), good_.end(), [this](const auto& each) { return settled_.contains(each.first); });
  }

 private:
  std::string garbage() {
    std::string out(random_.below(60), ' ');
    for (char& c : out) c = static_cast<char>(random_.below(256));
    return out;
  }
  std::string mutated(std::string bytes) {
    for (uint64_t i = 0, n = 1 + random_.below(3); i < n && !bytes.empty(); ++i) {
      const size_t at = random_.below(bytes.size());
      switch (random_.below(4)) {
        case 0:
          bytes.resize(at);
          break;
        case 1:
          bytes.insert(at, garbage());
          break;
        default:
          bytes[at] = static_cast<char>(random_.below(256));
      }
    }
    return bytes;
  }
  std::string any_of(const std::set<std::string>& from) {
    return *std::next(from.begin(), static_cast<std::ptrdiff_t>(random_.below(from.size())));
  }
  DiscoveryResponse response_of(const std::string& type) {
    DiscoveryResponse out;
    out.set_type_url(type);
    out.set_version_info(well_ ? "good" : cat("v", ++number_));
    out.set_nonce(cat("n", ++number_));
    auto& resource = *out.add_resources();
    resource.set_type_url(type);
    resource.set_value(good_.at(type));
    return out;
  }
  void give(const std::string& type) { call_->send(response_of(type).SerializeAsString()); }
  void on_request(const SimGrpcServer::CallPtr& call, std::string_view bytes) {
    DiscoveryRequest request;
    ASSERT_TRUE(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    if (call != call_) asked_.clear();
    call_ = call;
    ASSERT_TRUE(good_.contains(request.type_url())) << request.type_url();
    asked_.insert(request.type_url());
    if (request.has_error_detail()) {
      ++refused_;
      EXPECT_EQ(request.error_detail().code(), 13);
      EXPECT_NE(request.error_detail().message(), "");
    } else if (!request.response_nonce().empty()) {
      ++taken_;
    }
    if (well_ && request.version_info() == "good" && !request.has_error_detail()) {
      settled_.insert(request.type_url());
    } else if (well_) {
      settled_.erase(request.type_url());
      EXPECT_FALSE(request.has_error_detail() && request.version_info() == "good") << request.error_detail().message();
      give(request.type_url());
    }
  }

  SimRandom random_;
  const std::map<std::string, std::string> good_ = good_resources();
  SimGrpcServer server_;  // before its calls, which have memory of it
  SimGrpcServer::CallPtr call_;
  std::set<std::string> asked_;    // on this stream
  std::set<std::string> settled_;  // types whose good response was taken
  std::string last_nonce_;
  uint64_t number_ = 0;
  bool well_ = false;
  size_t refused_ = 0, taken_ = 0;
};

TEST(HostileControlPlane, SaysAnythingInAnyOrder) {
  const config::Extensions extensions = filters::builtin();
  size_t refused = 0, taken = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    server::Options options;
    options.drain_time = 1s;
    SimProxy proxy(
        seed, proxy_of_control_plane("GRPC"),
        [](auto&, auto&) { return "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"; }, extensions, 2,
        [](SimZone&) {}, options);
    ASSERT_EQ(proxy.error, "");
    log::set_level(log::Level::kOff);  // each refusal is told
    const google::protobuf::LogSilencer silence;
    SimMachine machine(proxy.fabric, "10.0.0.30");
    HostilePlane plane(proxy.world, machine);
    SimRandom pauses(proxy.world.random().fork());
    for (int i = 0; i < 150; ++i) {
      plane.misbehave();
      proxy.world.run_for(pauses.between(Duration(0), Duration(20ms)));
    }
    plane.behave();
    const bool settled = proxy.world.run_until([&] { return plane.settled(); }, 120s);
    EXPECT_TRUE(settled) << "seed " << seed;
    proxy.world.run_for(20s);  // initial_fetch_timeout of what waits for nothing that comes
    auto client = proxy.connect();
    client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    EXPECT_TRUE(proxy.world.run_until([&] { return client->received().ends_with("hello"); }, 10s))
        << "seed " << seed << ": " << client->received();
    client.reset();
    refused += plane.refused();
    taken += plane.taken();
    EXPECT_TRUE(proxy.stop()) << "seed " << seed;
  }
  // Both happened.
  EXPECT_GT(refused, 500u);
  EXPECT_GT(taken, 500u);
}

}  // namespace
}  // namespace sluice::test
