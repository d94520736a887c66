// SimProxy: a world with one proxy, an origin at 10.0.0.9:9000 and a machine for clients, made from YAML.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/strings.h"
#include "filters/builtin.h"
#include "test/sim/sim_peers.h"
#include "test/sim/sim_platform.h"

namespace sluice::test {

// Thread: the simulation's.
class SimProxy {
 public:
  SimProxy(
      uint64_t seed, std::string_view yaml, SimOrigin::Respond respond,
      const config::Extensions& extensions = filters::builtin(), uint32_t workers = 1,
      const std::function<void(SimZone&)>& names = [](SimZone&) {}, server::Options options = {},
      const std::function<void(SimFiles&)>& files = [](SimFiles&) {})
      : world(seed),
        fabric(world),
        clients(fabric, "10.0.0.1"),
        origins(fabric, "10.0.0.9"),
        platform(fabric, "10.0.0.2"),
        origin(origins, *net::Address::from_ip("10.0.0.9", 9000), std::move(respond)) {
    log::set_level(log::Level::kWarning);
    files(platform.files());  // a file that the configuration names must be there
    config::BootstrapOptions source;
    source.yaml = yaml;
    config::CompileOutcome outcome = config::compile_bootstrap(source, extensions, &platform.files());
    if (!outcome.bootstrap) {
      error = outcome.error_text();
      return;
    }
    names(platform.zone);
    options.concurrency = workers;
    server = std::make_unique<server::Server>(platform, options, std::move(*outcome.bootstrap));
    if (Result<void> started = server->start(); !started) {
      error = started.error();
    }
  }
  ~SimProxy() { stop(); }

  std::unique_ptr<SimTalker> connect() { return clients.connect(*net::Address::from_ip("10.0.0.2", 8080)); }
  // SIGTERM, and everything that follows; false when the server did not end in time.
  bool stop() {
    if (server == nullptr) {
      return true;
    }
    server->shutdown();
    const bool ended = world.run_until([this] { return server->ended(); }, std::chrono::seconds(20));
    server.reset();
    return ended;
  }

  SimWorld world;
  SimFabric fabric;
  SimMachine clients;
  SimMachine origins;
  SimPlatform platform;
  SimOrigin origin;
  std::string error;
  std::unique_ptr<server::Server> server;
};

// One listener on 10.0.0.2:8080, everything goes to the origin, the log is /log.
inline constexpr std::string_view kPlainProxy = R"(
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: /log
              log_format: {text_format_source: {inline_string: "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS%\n"}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /direct}
                direct_response: {status: 200, body: {inline_string: "hello"}}
              - match: {prefix: /}
                route: {cluster: origin}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: origin
    connect_timeout: 1s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9000}}}
)";

// One listener on 10.0.0.2:8080, without clusters, whose connection manager asks for its routes: `rds` is a JSON
// object, `filters` are lines before the router's.
inline std::string proxy_that_asks(std::string_view rds, std::string_view filters = "") {
  return cat(R"(
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          rds: )",
             rds, "\n          http_filters:\n", filters, R"(
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)");
}

// Asks the control plane at 10.0.0.30:18000 for its clusters and listeners, on one aggregated stream; `api`: GRPC or
// DELTA_GRPC.
inline std::string proxy_of_control_plane(std::string_view api) {
  return cat("node: {id: simulated, cluster: simulated}\ndynamic_resources:\n  ads_config: {api_type: ", api, R"(,
    transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds}}]}
  cds_config: {resource_api_version: V3, ads: {}}
  lds_config: {resource_api_version: V3, ads: {}}
static_resources:
  clusters:
  - name: xds
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: xds
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.30, port_value: 18000}}}}]}]
)");
}

// kPlainProxy with another cluster of the name `origin`; `fields`: lines of it.
inline std::string plain_proxy_to(std::string_view fields) {
  constexpr std::string_view kName = "  - name: origin\n";
  return cat(kPlainProxy.substr(0, kPlainProxy.find(kName) + kName.size()), fields);
}

}  // namespace sluice::test
