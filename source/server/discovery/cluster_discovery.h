// ClusterDiscovery: CDS.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/function.h"
#include "server/clusters.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// Owned by the server. Thread: main.
class ClusterDiscovery final : private config::ResourceUser {
 public:
  // `on_known`: called once, when the first answer was applied, was refused, or did not come in time.
  ClusterDiscovery(const model::ConfigSource& source, Clusters& clusters, const DiscoveryTools& tools,
                   Function<void()> on_known);

  // Of the newest update that changed something.
  const std::string& version() const { return version_; }

 private:
  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override;
  bool apply(const config::ResourceUpdate& update, config::Batch<model::ClusterPlan>& batch);
  void known();

  Clusters& clusters_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  std::string version_;
  DiscoveryCounts counts_;
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
