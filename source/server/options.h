// Options: the command line, with Envoy's flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace sluice::server {

enum class Mode : uint8_t { kServe, kValidate };

// https://www.envoyproxy.io/docs/envoy/v1.36.0/operations/cli. Thread: main; immutable once parsed.
struct Options {
  std::string config_path;   // -c, --config-path
  std::string config_yaml;   // --config-yaml: merged over the file
  Mode mode = Mode::kServe;
  uint32_t concurrency = 0;  // 0: the CPUs that the cgroup quota allows
  log::Level log_level = log::Level::kInfo;
  std::string log_format;            // empty: Envoy's default
  bool log_format_escaped = false;
  std::vector<std::pair<log::Component, log::Level>> component_levels;
  std::string log_path;
  Duration file_flush_interval = std::chrono::seconds(10);
  uint32_t file_flush_min_size_kb = 64;
  Duration drain_time = std::chrono::seconds(600);
  Duration parent_shutdown_time = std::chrono::seconds(900);
  Duration term_drain = std::chrono::seconds(3);  // --term-drain-s, ours: SIGTERM to the end at the latest
  std::string drain_strategy = "gradual";
  std::string service_node, service_cluster, service_zone;
  bool allow_unknown_static_fields = false;
  bool reject_unknown_dynamic_fields = false;
  bool local_address_v6 = false;     // --local-address-ip-version v6
  std::string admin_address_path;    // gets the admin server's address once it is bound
  std::string base_id_path;
  std::string last_good_path;        // --last-good-config, ours: empty: nothing is kept
  std::vector<std::pair<std::string, std::string>> stats_tags;
  bool enable_core_dump = false;
  bool disable_hot_restart = false;
  bool print_hot_restart_version = false;
  uint32_t base_id = 0;
  uint32_t restart_epoch = 0;
  bool print_version = false;
  bool print_help = false;

  // The words as given, for /server_info.
  std::vector<std::string> command_line;
};

// An error is one sentence that names the flag, with the nearest known one for a typing mistake.
Result<Options> parse_options(const std::vector<std::string>& arguments);
std::string help_text();
std::string version_text();

// The CPUs that this process may use: affinity and cgroup quota, at least 1.
uint32_t available_cpus();
// What the CPU quotas of the control groups allow, rounded up; UINT32_MAX without one. `root` is where they are mounted
// (version 1 or 2), `groups` what /proc/self/cgroup says.
uint32_t quota_cpus(const std::string& root, std::string_view groups);

}  // namespace sluice::server
