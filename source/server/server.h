// Server: the main thread. Owns the listen sockets, the workers and what all workers share; starts, drains, ends.
//
//   start() --> warming (DNS clusters wait for their first answers) --> serving --SIGTERM: shutdown()--> draining
//   --last connection or term_drain--> ended (main loop stops)
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/bootstrap.h"
#include "proxy/chain_server.h"
#include "server/admin/admin.h"
#include "server/clusters.h"
#include "server/discovery/cluster_demand.h"
#include "server/discovery/cluster_discovery.h"
#include "server/discovery/listener_discovery.h"
#include "server/discovery/route_discovery.h"
#include "server/discovery/runtime_discovery.h"
#include "server/discovery/subscriber.h"
#include "server/fence.h"
#include "server/guard.h"
#include "server/listeners.h"
#include "server/main_upstream.h"
#include "server/options.h"
#include "server/overload_watch.h"
#include "server/platform.h"
#include "server/server_stats.h"
#include "server/statsd_sink.h"
#include "server/worker.h"
#include "stats/names_cluster.h"
#include "stats/names_listener.h"

namespace sluice::server {

// Thread: main.
class Server final : public admin::AdminSource {
 public:
  Server(Platform& platform, const Options& options, config::CompiledBootstrap bootstrap);
  ~Server() override;

  // Binds everything, then starts the workers: all or nothing. The error has one line for each address that failed.
  Result<void> start();
  // Begins the end: no accepts, clients are told to go, main_loop().stop() at the last connection or after
  // options.term_drain.
  void shutdown();
  // Opens access logs and the application log again (SIGUSR1).
  void reopen_logs() override;

  // Nothing is left but the main loop's last turn.
  bool ended() const { return ended_; }
  // What all workers share of the clusters.
  std::vector<std::shared_ptr<upstream::ClusterShared>> shared_clusters() const { return clusters_.active(); }
  Listeners& all_listeners() { return listeners_; }

  // What main itself asks of clusters: control planes.
  MainUpstream& upstreams() { return upstreams_; }

  // --- admin::AdminSource (server_admin.cc)
  admin::ServerState state() const override;
  int64_t uptime_s() const override;
  const Options& options() const override { return options_; }
  uint32_t workers() const override { return concurrency(); }
  admin::NodeInfo node() const override;
  std::vector<admin::ClusterInfo> clusters() const override;
  std::vector<admin::ListenerInfo> listeners() const override;
  admin::DynamicConfigs dynamic_configs() const override;
  std::vector<std::string> awaited() const override;
  uint32_t stale() const override { return subscriber_.stale(); }
  std::string xds_history() const override { return subscriber_.history().to_json(); }
  std::shared_ptr<const config::AcceptedConfig> accepted_config() const override { return bootstrap_.accepted; }
  WallTime accepted_at() const override { return accepted_at_; }
  std::vector<net::tls::ContextDetails> certificates() const override;
  WallTime wall_now() const override { return platform_.main_loop().wall_now(); }
  stats::Registry& registry() override { return registry_; }
  model::AccessLogSetPtr access_logs() const override { return bootstrap_.admin_access_logs; }
  std::string machine_ip() const override { return state_.machine_ip; }
  void refresh_stats() override;
  void reset_counters() override;
  stats::TagExtractor& tags() override { return tags_; }
  admin::RuntimeInfo runtime() const override;
  Result<void> modify_runtime(const std::vector<std::pair<std::string, std::string>>& values) override;
  void quit() override;
  void drain_listeners(const admin::DrainRequest& request) override;
  void fail_health_checks() override;
  void pass_health_checks() override;

 private:
  Result<void> bind_all();
  void publish();
  void on_stage(Clusters::Stage stage);
  // Clusters are there: what the listeners wait for.
  void warm_listeners();

  // A listener is ready, or all are known.
  void look_at_listeners();
  void serve();
  void finish();
  void flush_stats();
  void gather_stats();
  void flush_sinks();
  bool flushes_on_demand() const { return bootstrap_.stats_flush_interval == Duration::zero(); }
  bool serves(std::string_view path) const override;
  uint32_t concurrency() const;
  void watch_turns(const std::string& name, event::Loop& loop, const model::WatchdogPlan& plan);
  void time_turns(std::string_view of, event::Loop& loop, stats::WorkerCells& cells);
  uint64_t connections() const;
  void refresh_breakers();
  void set_accepting(proxy::Accepting accepting);

  Platform& platform_;
  const Options options_;
  config::CompiledBootstrap bootstrap_;
  stats::Registry registry_;
  stats::TagExtractor tags_;
  stats::WorkerCells cells_;  // of the main thread
  ServerStats server_stats_;
  proxy::ServerState state_;
  stats::Block<stats::ListenerManagerStat> listeners_block_;
  Guard guard_;
  Listeners listeners_;
  OverloadWatch overload_watch_;
  MainUpstream upstreams_;
  bool listeners_known_ = false;  // the first answer of LDS
  bool serving_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  Subscriber subscriber_;
  Fence fence_;
  const DiscoveryTools discovery_tools_;
  Clusters clusters_;
  ClusterDemand cluster_demand_;
  RouteDiscovery routes_;
  ListenerDiscovery listener_discovery_;
  std::vector<std::unique_ptr<StatsdSink>> stats_sinks_;
  std::unique_ptr<RuntimeDiscovery> runtime_discovery_;
  std::unique_ptr<ClusterDiscovery> cluster_discovery_;
  std::unique_ptr<net::ListenSocket> admin_socket_;
  MonotonicTime started_;
  WallTime accepted_at_;
  uint32_t workers_draining_ = 0;
  std::unique_ptr<admin::Admin> admin_;
  bool shutting_down_ = false;
  bool ended_ = false;
  event::Timer term_timer_;
  event::Timer stats_timer_;
  event::Timer drain_timer_;  // the end of a graceful /drain_listeners
  bool drain_inbound_only_ = false;
};

}  // namespace sluice::server
