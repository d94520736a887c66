// The server as its admin pages see it.
#include <algorithm>

#include "base/strings.h"
#include "config/tls_secrets.h"
#include "server/admin/describe.h"
#include "server/discovery/endpoint_discovery.h"
#include "server/server.h"

namespace sluice::server {

admin::ServerState Server::state() const {
  if (!serving_) {
    return clusters_.started() ? admin::ServerState::kInitializing : admin::ServerState::kPreInitializing;
  }
  const bool draining = shutting_down_ || state_.drain.health_failed();
  return draining ? admin::ServerState::kDraining : admin::ServerState::kLive;
}

int64_t Server::uptime_s() const { return to_ms(platform_.main_loop().now() - started_) / 1000; }

admin::NodeInfo Server::node() const {
  const config::NodePlan& node = bootstrap_.node;
  return {node.id, node.cluster, node.region, node.zone, node.sub_zone};
}

std::vector<admin::ClusterInfo> Server::clusters() const {
  std::vector<admin::ClusterInfo> out;
  for (const auto& cluster : clusters_.active()) {
    out.push_back(admin::describe(*cluster));
    out.back().added_via_api = !clusters_.is_static(cluster->plan->name);
  }
  return out;
}

admin::DynamicConfigs Server::dynamic_configs() const {
  using Kind = admin::DynamicConfig::Kind;
  admin::DynamicConfigs out;
  const auto add = [&out](Kind kind, std::string name, std::string version, WallTime updated, std::string bytes,
                          std::string details = {}) {
    out.all.push_back({kind, std::move(name), std::move(version), updated, std::move(bytes), std::move(details)});
  };
  if (cluster_discovery_ != nullptr) {
    out.clusters_version = cluster_discovery_->version();
  }
  for (const Clusters::Dumped& one : clusters_.dump()) {
    add(one.active ? Kind::kCluster : Kind::kWarmingCluster, one.name, one.version.version, one.version.updated,
        one.version.bytes);
  }
  for (const auto& [cluster, endpoints] : clusters_.assignments()) {
    if (!endpoints->bytes().empty()) {
      add(Kind::kEndpoints, cluster->plan->eds->service_name, {}, endpoints->updated(), endpoints->bytes());
    }
  }
  out.listeners_version = listener_discovery_.version();
  for (const auto& [name, one] : listener_discovery_.dump()) {
    const auto add_state = [&, &name = name](Kind kind, const DiscoveredListener::State& state) {
      if (!state.bytes.empty()) {
        add(kind, name, state.version, state.updated, state.bytes);
      }
    };
    // During the start all of them wait for the last one.
    add_state(serving_ ? Kind::kListener : Kind::kWarmingListener, one.active);
    add_state(Kind::kWarmingListener, one.warming);
    add_state(Kind::kDrainingListener, one.draining);
    if (!one.failed.empty()) {
      add(Kind::kRefusedListener, name, {}, one.failed_at, one.failed, one.why);
    }
  }
  for (const ScopesVersion& one : listener_discovery_.scopes()) {
    for (const std::string& bytes : one.bytes) {
      add(Kind::kScope, one.name, one.version, one.updated, bytes, one.name);
    }
  }
  for (const ExtensionVersion& one : listener_discovery_.extensions()) {
    add(Kind::kExtension, one.name, one.version, one.updated, one.bytes);
  }
  for (const RouteVersion& one : routes_.dump()) {
    add(Kind::kRoutes, one.name, one.version, one.updated, one.bytes);
  }
  for (const config::TlsSecrets::Discovered& one : bootstrap_.tls->discovered()) {
    const bool came = !one.bytes.empty();
    add(came ? Kind::kSecret : Kind::kWarmingSecret, one.name, came ? one.version : "uninitialized", one.updated,
        one.bytes);
  }
  return out;
}

std::vector<std::string> Server::awaited() const {
  std::vector<std::string> out;
  for (const std::string& name : routes_.awaited()) {
    out.push_back(cat("shared target RdsRouteConfigSubscription RDS init ", name));
  }
  for (const config::TlsSecrets::Discovered& one : bootstrap_.tls->discovered()) {
    if (one.bytes.empty()) out.push_back(cat("shared target SdsApi ", one.name));
  }
  return out;
}

std::vector<admin::ListenerInfo> Server::listeners() const {
  std::vector<admin::ListenerInfo> out;
  for (const Listeners::Serving& one : listeners_.serving()) {
    out.push_back({one.name, one.addresses.front(), {one.addresses.begin() + 1, one.addresses.end()}});
  }
  return out;
}

admin::RuntimeInfo Server::runtime() const { return {bootstrap_.runtime->names(), bootstrap_.runtime->entries()}; }

Result<void> Server::modify_runtime(const std::vector<std::pair<std::string, std::string>>& values) {
  return bootstrap_.runtime->modify(values);
}

void Server::refresh_stats() {
  if (flushes_on_demand()) {
    registry_.flush();
  }
  gather_stats();
  if (flushes_on_demand()) {
    flush_sinks();
  }
}

// What is counted elsewhere and was not told yet is reset too.
void Server::reset_counters() {
  gather_stats();
  registry_.reset_counters();
}

void Server::gather_stats() {
  server_stats_.refresh_runtime(*bootstrap_.runtime);
  uint64_t certificate_days = UINT32_MAX;
  if (const std::optional<WallTime> expiry = bootstrap_.tls->first_expiry()) {
    constexpr int64_t kDay = int64_t{86400} * 1'000'000;
    certificate_days = static_cast<uint64_t>(std::max<int64_t>(0, (expiry->us - wall_now().us) / kDay));
  }
  uint64_t ocsp_seconds = 0;
  if (const std::optional<WallTime> expiry = bootstrap_.tls->first_ocsp_expiry()) {
    ocsp_seconds = static_cast<uint64_t>(std::max<int64_t>(0, (expiry->us - wall_now().us) / 1'000'000));
  }
  server_stats_.refresh({.time = platform_.main_loop().now(),
                         .uptime_s = uptime_s(),
                         .state = static_cast<uint64_t>(state()),
                         .connections = connections(),
                         .files = platform_.files().append_counts(),
                         .certificate_days = certificate_days,
                         .ocsp_seconds = ocsp_seconds});
  refresh_breakers();
  subscriber_.show();
}

uint64_t Server::connections() const {
  uint64_t total = 0;
  for (const std::string& prefix : listeners_.stat_prefixes()) {
    total += registry_.value(cat("listener.", prefix, ".downstream_cx_active")).value_or(0);
  }
  return total;
}

void Server::refresh_breakers() {
  clusters_.each_active([](upstream::ClusterShared& cluster) { cluster.refresh_stats(); });
  clusters_.refresh_stats();
}

// The answer of the page still leaves; nothing else is waited for.
void Server::quit() {
  if (!shutting_down_) {
    shutting_down_ = true;
    term_timer_.arm(std::chrono::milliseconds(1));
  }
}

// Without `graceful` the sockets close and nobody is told; with it clients are told for the drain time first.
void Server::drain_listeners(const admin::DrainRequest& request) {
  if (!request.graceful) {
    listeners_.stop_accepting(request.inbound_only);
    return;
  }
  const auto scope = request.inbound_only ? proxy::DrainScope::kInbound : proxy::DrainScope::kAll;
  if (state_.drain.begin(platform_.main_loop().now(), scope) && !request.skip_exit) {
    drain_inbound_only_ = request.inbound_only;
    drain_timer_.arm(options_.drain_time);
  }
}

bool Server::serves(std::string_view path) const {
  const auto& allowed = bootstrap_.admin_paths;
  return allowed.empty() ||
         std::any_of(allowed.begin(), allowed.end(), [path](const auto& matcher) { return matcher.matches(path); });
}

void Server::fail_health_checks() {
  state_.drain.set_health_failed(true);
  server_stats_.set_live(false);
}
void Server::pass_health_checks() {
  state_.drain.set_health_failed(false);
  server_stats_.set_live(true);
}

std::vector<net::tls::ContextDetails> Server::certificates() const { return bootstrap_.tls->details(); }

}  // namespace sluice::server
