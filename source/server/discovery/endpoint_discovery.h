// EndpointDiscovery: EDS of one cluster.
#pragma once

#include <memory>
#include <string>

#include "base/function.h"
#include "event/loop.h"
#include "server/discovery/counts.h"
#include "upstream/cluster_shared.h"

namespace sluice::server {

// Owned by the server's Clusters; the cluster outlives it. Thread: main.
class EndpointDiscovery final : private config::ResourceUser {
 public:
  // `on_known`: called once, when the first answer came, or none in time.
  EndpointDiscovery(upstream::ClusterShared& cluster, const DiscoveryTools& tools, Function<void()> on_known);
  ~EndpointDiscovery();

  // The assignment in force, for /config_dump; empty: none came.
  const std::string& bytes() const { return bytes_; }
  WallTime updated() const { return updated_; }

 private:
  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view why) override;
  void on_timeout() override;
  config::Verdict take(config::Batch<model::AssignmentPlan>& batch);
  void put_in_force(config::Compiled<model::AssignmentPlan>& one);
  void known();

  upstream::ClusterShared& cluster_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  const std::string prefix_;
  const std::string name_;  // of the assignment
  stats::BlockId id_;
  stats::Block<stats::EndpointDiscoveryStat> block_;
  std::string bytes_;
  WallTime updated_{};
  event::Timer stale_;
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
