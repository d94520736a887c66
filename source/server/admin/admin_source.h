// What the admin pages show and what they can do, as the server gives it to them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/access_log_plan.h"
#include "model/cluster_plan.h"
#include "net/address.h"
#include "net/tls/certificate_details.h"
#include "server/options.h"
#include "stats/registry.h"
#include "stats/tags.h"

namespace sluice::config {
struct AcceptedConfig;
}

namespace sluice::server::admin {

// Envoy's words, and the values of server.state.
enum class ServerState : uint8_t { kLive, kDraining, kPreInitializing, kInitializing };
std::string_view name_of(ServerState state);  // "LIVE"

// One endpoint of a cluster. The counts are of all workers.
struct HostInfo {
  net::Address address;
  std::string hostname;
  uint64_t cx_active = 0, cx_connect_fail = 0, cx_total = 0;
  uint64_t rq_active = 0, rq_error = 0, rq_pending_active = 0, rq_success = 0, rq_timeout = 0, rq_total = 0;
  model::HealthStatus eds_health = model::HealthStatus::kUnknown;
  bool failed_active_check = false;
  bool says_goodbye = false;
  bool failed_outlier_check = false;
  bool degraded_by_check = false;
  bool degraded_by_answers = false;
  bool pending_removal = false;  // no assignment has it any more
  bool check_pending = false;
  bool check_timed_out = false;
  double success_rate = -1, local_success_rate = -1;  // percent; negative: not known
  uint32_t weight = 1;
  uint32_t priority = 0;
  std::string region, zone, sub_zone;
  bool canary = false;
};

struct ClusterInfo {
  std::string name;
  std::string observability_name;  // alt_stat_name or name
  bool added_via_api = false;
  std::string eds_service_name;                  // EDS only
  std::array<model::BreakerLimits, 2> breakers;  // default, high
  std::vector<HostInfo> hosts;
};

struct ListenerInfo {
  std::string name;
  net::Address address;  // the real one: a port of 0 was replaced
  std::vector<net::Address> additional;
};

struct NodeInfo {
  std::string id, cluster;
  std::string region, zone, sub_zone;
};

// A resource that came while the process ran, as /config_dump shows it. A plain value.
struct DynamicConfig {
  enum class Kind : uint8_t {
    kCluster,
    kWarmingCluster,
    kListener,
    kWarmingListener,
    kDrainingListener,
    kRefusedListener,  // the last update of it that was refused; `details` says why
    kRoutes,
    kScope,  // of the scoped routes `details`
    kEndpoints,
    kSecret,
    kWarmingSecret,  // it did not come yet
    kExtension,
  };
  Kind kind;
  std::string name;
  std::string version;
  WallTime updated;
  std::string bytes;  // of its message
  std::string details;
};

// All of them, and what the newest responses of the two types that are told whole called themselves. A plain value.
struct DynamicConfigs {
  std::string clusters_version, listeners_version;
  std::vector<DynamicConfig> all;
};

// Layers in their order, and for each key what every layer says (empty: nothing).
struct RuntimeInfo {
  std::vector<std::string> layers;
  std::map<std::string, std::vector<std::string>> entries;
};

struct DrainRequest {
  bool graceful = false;      // clients are told to go first, for the drain time
  bool skip_exit = false;     // ... and the sockets stay open
  bool inbound_only = false;  // listeners with traffic_direction INBOUND
};

// Implemented by the server; outlives the admin server. Functions that act return at once: what they start goes on
// later. Thread: main.
class AdminSource {
 public:
  virtual ~AdminSource() = default;

  // --- what is
  virtual ServerState state() const = 0;
  virtual int64_t uptime_s() const = 0;
  virtual const Options& options() const = 0;
  virtual uint32_t workers() const = 0;
  virtual NodeInfo node() const = 0;
  virtual std::vector<ClusterInfo> clusters() const = 0;
  virtual std::vector<ListenerInfo> listeners() const = 0;
  // What the running plans were compiled from, and when; null: nothing to show.
  virtual std::shared_ptr<const config::AcceptedConfig> accepted_config() const = 0;
  virtual WallTime accepted_at() const = 0;
  virtual DynamicConfigs dynamic_configs() const { return {}; }
  // The resources that somebody waits for, as /init_dump names them.
  virtual std::vector<std::string> awaited() const { return {}; }
  // Subscriptions that live on what an earlier process kept on disk.
  virtual uint32_t stale() const { return 0; }
  // The last pushes of control planes, the newest first: {"pushes": [...]}.
  virtual std::string xds_history() const { return "{\"pushes\": []}"; }
  virtual stats::Registry& registry() = 0;
  // Of the requests to these pages; null: none. `machine_ip` stands in for a client on this machine.
  virtual model::AccessLogSetPtr access_logs() const { return nullptr; }
  virtual std::string machine_ip() const { return {}; }
  // allow_paths. `path` with its query.
  virtual bool serves(std::string_view path) const { return !path.empty(); }
  // Sets the gauges that are only right when somebody asks (uptime, memory).
  virtual void refresh_stats() = 0;
  virtual void reset_counters() = 0;
  // stats_config's tags.
  virtual stats::TagExtractor& tags() = 0;
  virtual RuntimeInfo runtime() const { return {}; }
  // Of all TLS contexts.
  virtual std::vector<net::tls::ContextDetails> certificates() const { return {}; }
  virtual WallTime wall_now() const { return {}; }

  // --- what can be done
  virtual void quit() = 0;
  virtual void drain_listeners(const DrainRequest& request) = 0;
  virtual void fail_health_checks() = 0;
  virtual void pass_health_checks() = 0;
  virtual void reopen_logs() = 0;
  // Keys with an empty value are removed from the admin layer. Error: there is no such layer.
  virtual Result<void> modify_runtime(const std::vector<std::pair<std::string, std::string>>&) {
    return Error{"No admin layer specified"};
  }
};

}  // namespace sluice::server::admin
