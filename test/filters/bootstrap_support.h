// Compiling small configurations in tests: the parts that matter inside of a bootstrap that is complete.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "config/bootstrap.h"
#include "filters/builtin.h"
#include "model/http_plan.h"
#include "proxy/http_server.h"

namespace sluice::filters {

// The pieces that a test replaces. Flow style, so that a piece is one line.
struct Pieces {
  std::string hcm;            // further fields, ", name: value"
  std::string route_config;   // further fields
  std::string virtual_hosts;  // empty: one of all domains with `routes`
  std::string routes = "{match: {prefix: /}, route: {cluster: a}}";
  std::string http_filters;  // before the router, each followed by ", "
  std::string cluster;       // further fields of cluster a
  std::string listener;      // further fields
  std::string bootstrap;     // further lines
};

inline std::string yaml_of(const Pieces& p) {
  constexpr std::string_view kType = "\"@type\": type.googleapis.com/envoy.extensions.filters.";
  const std::string hosts =
      p.virtual_hosts.empty() ? cat("{name: all, domains: [\"*\"], routes: [", p.routes, "]}") : p.virtual_hosts;
  return cat(
      "static_resources:\n  listeners:\n  - {name: main, address: {socket_address: {address: 127.0.0.1, port_value: "
      "80}}",
      p.listener, ", filter_chains: [{filters: [{name: hcm, typed_config: {", kType,
      "network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: main", p.hcm,
      ", route_config: {name: local", p.route_config, ", virtual_hosts: [", hosts, "]}, http_filters: [",
      p.http_filters, "{name: router, typed_config: {", kType, "http.router.v3.Router}}]}}]}]}\n",
      "  clusters:\n  - {name: a, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: ",
      "[{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 81}}}}]}]}", p.cluster, "}\n",
      p.bootstrap);
}

// What a compilation gave, with short cuts into it.
class Compiled {
 public:
  explicit Compiled(const Pieces& pieces) : outcome_(compile(yaml_of(pieces))) {}
  explicit Compiled(const std::string& yaml) : outcome_(compile(yaml)) {}

  bool ok() const { return outcome_.bootstrap.has_value(); }
  std::string errors() const { return outcome_.error_text(); }
  // Whether exactly one error was found, about a field whose path ends with `field`, that says `text`.
  ::testing::AssertionResult fails(std::string_view field, std::string_view text) const {
    const auto& errors = outcome_.findings.errors();
    if (errors.size() == 1 && errors[0].field.ends_with(field) && errors[0].text.find(text) != std::string::npos &&
        errors[0].at.known()) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << errors.size() << " errors:\n" << outcome_.error_text();
  }

  const config::CompiledBootstrap& bootstrap() const { return *outcome_.bootstrap; }
  const model::ListenerPlan& listener() const { return *bootstrap().listeners.at(0); }
  const model::ClusterPlan& cluster() const { return *bootstrap().clusters.at(0); }
  const model::HttpPlan& http() const {
    return static_cast<const proxy::HttpConnectionManager&>(*listener().chains.at(0)->terminal).plan();
  }
  const model::Route& route(size_t i = 0) const { return http().routes->hosts.at(0)->routes.at(i); }
  const model::ForwardAction& forward(size_t i = 0) const { return std::get<model::ForwardAction>(route(i).action); }

 private:
  static config::CompileOutcome compile(const std::string& yaml) {
    config::BootstrapOptions options;
    options.yaml = yaml;
    const config::Extensions extensions = builtin();
    return config::compile_bootstrap(options, extensions, nullptr);
  }

  config::CompileOutcome outcome_;
};

}  // namespace sluice::filters
