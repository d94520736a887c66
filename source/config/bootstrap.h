// The entry to this folder: from what the command line gives to the plans that the server runs, or to everything that
// is wrong with them. No protobuf here: what was accepted stands behind AcceptedConfig (config/accepted_config.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config_error.h"
#include "config/extensions.h"
#include "config/resources.h"
#include "event/files.h"
#include "match/string_matcher.h"
#include "model/access_log_plan.h"
#include "model/cluster_plan.h"
#include "model/config_source.h"
#include "model/discovered.h"
#include "model/listener_plan.h"
#include "model/overload_plan.h"
#include "model/stats_sink_plan.h"
#include "model/watchdog_plan.h"
#include "net/address.h"
#include "net/network.h"
#include "runtime/layers.h"
#include "stats/settings.h"

namespace sluice::proxy {
class LogFiles;
}

namespace sluice::config {

struct AcceptedConfig;
struct Document;
class TlsSecrets;

// What the command line says about the configuration.
struct BootstrapOptions {
  std::string path;                   // -c; empty: none
  std::string yaml;                   // --config-yaml, merged over the file
  bool allow_unknown_fields = false;  // --allow-unknown-static-fields
  bool reject_unknown_dynamic_fields = false;
  std::string service_node, service_cluster, service_zone;  // win over the node of the file when not empty
};

struct NodePlan {
  std::string id, cluster;
  std::string region, zone, sub_zone;
  model::Locality locality() const { return {region, zone, sub_zone}; }
};

// A layer of the runtime whose values are discovered. A plain value.
struct RuntimeSource {
  std::string layer;
  std::string resource;  // its name at the source
  model::ConfigSource source;
};

// Thread: main. What it points to is immutable but for the files of the logs and the runtime.
struct CompiledBootstrap {
  std::vector<model::ListenerPlanPtr> listeners;
  std::vector<model::ClusterPlanPtr> clusters;
  std::optional<size_t> internal_buffer;      // buffer_size_kb of internal listeners, in bytes; none: there are none
  std::optional<net::Address> admin_address;  // none: no admin server
  model::AccessLogSetPtr admin_access_logs;   // null: none
  std::optional<std::string> log_format;      // of the application log (base/log_format.h); none: as it is
  NodePlan node;
  bool time_turns = false;    // enable_dispatcher_stats
  std::string local_cluster;  // cluster_manager.local_cluster_name; empty: none
  model::Watchdogs watchdogs;
  net::ListenOptions admin_socket;
  std::vector<match::StringMatcher> admin_paths;  // allow_paths: no others are served; empty: all are
  uint64_t server_version = 0;                    // what the gauge server.version shows
  std::string flags_path;                         // a file "drain" in this folder: health checks fail from the start
  std::shared_ptr<const model::OverloadPlan> overload;    // null: no overload manager
  runtime::Number connection_limit{UINT64_MAX, nullptr};  // overload.global_downstream_max_connections of the runtime
  std::shared_ptr<runtime::Layers> runtime;
  std::shared_ptr<const model::ApiSource> ads;         // dynamic_resources.ads_config; null: none
  std::shared_ptr<const model::ApiSource> load_stats;  // cluster_manager.load_stats_config; null: none
  model::ConfigSource clusters_source;                 // ... cds_config
  model::ConfigSource listeners_source;                // ... lds_config
  std::vector<RuntimeSource> runtime_sources;
  std::string xds_node;  // the node as control planes are told: a serialized core.v3.Node
  std::shared_ptr<model::RouteSlots> route_slots;
  std::shared_ptr<ResourceCompiler> resources;  // what comes while the process runs goes through it
  stats::Settings stats;
  std::vector<model::StatsSinkPlan> stats_sinks;
  // Zero: histograms are merged when somebody asks (stats_flush_on_admin).
  Duration stats_flush_interval = std::chrono::seconds(5);
  std::shared_ptr<const AcceptedConfig> accepted;
  std::shared_ptr<TlsSecrets> tls;             // never null; with all contexts and secrets
  std::shared_ptr<proxy::LogFiles> log_files;  // of all access logs; null when only validated

  // After a rotation; and at the end of the process.
  void reopen_logs();
  void flush_logs();
};

// Thread: main.
struct CompileOutcome {
  std::optional<CompiledBootstrap> bootstrap;  // none with errors
  Findings findings;                           // sorted by place; notes also without errors
  // What was compiled, with the place of everything: much larger than the plans, which do without it.
  std::shared_ptr<const Document> document;

  // All errors, one on each line.
  std::string error_text() const;
};

// Reads, validates and compiles; all errors of all three are told at once. With `files` access logs are opened, and one
// that cannot be is an error; without (--mode validate) nothing is touched. Thread: main (it blocks on files).
CompileOutcome compile_bootstrap(const BootstrapOptions& options, const Extensions& extensions, event::Files* files);

}  // namespace sluice::config
