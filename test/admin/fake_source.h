// A server to show: what the pages ask for, as plain fields; and what was asked of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/admin/admin_source.h"

namespace sluice::server::admin {

// Thread: the test's.
class FakeSource final : public AdminSource {
 public:
  ServerState state() const override { return now; }
  int64_t uptime_s() const override { return 7; }
  const Options& options() const override { return command_line; }
  uint32_t workers() const override { return 1; }
  NodeInfo node() const override { return {"sn", "sc", "", "sz", ""}; }
  std::vector<ClusterInfo> clusters() const override { return all_clusters; }
  std::vector<ListenerInfo> listeners() const override { return all_listeners; }
  std::shared_ptr<const config::AcceptedConfig> accepted_config() const override { return accepted; }
  WallTime accepted_at() const override { return {1'767'225'600'000'000}; }
  stats::Registry& registry() override { return stats; }
  void refresh_stats() override { ++refreshed; }
  void reset_counters() override { stats.reset_counters(); }
  stats::TagExtractor& tags() override { return extractor; }
  RuntimeInfo runtime() const override { return layers; }

  void quit() override { done.push_back("quit"); }
  void drain_listeners(const DrainRequest& request) override {
    done.push_back(std::string("drain") + (request.graceful ? " graceful" : "") +
                   (request.skip_exit ? " skip_exit" : "") + (request.inbound_only ? " inbound" : ""));
  }
  void fail_health_checks() override {
    now = ServerState::kDraining;
    done.push_back("fail");
  }
  void pass_health_checks() override {
    now = ServerState::kLive;
    done.push_back("pass");
  }
  void reopen_logs() override { done.push_back("reopen"); }

  ServerState now = ServerState::kLive;
  Options command_line;
  std::vector<ClusterInfo> all_clusters;
  std::vector<ListenerInfo> all_listeners;
  std::shared_ptr<const config::AcceptedConfig> accepted;
  stats::Registry stats;
  stats::TagExtractor extractor;
  RuntimeInfo layers;
  int refreshed = 0;
  std::vector<std::string> done;
};

}  // namespace sluice::server::admin
