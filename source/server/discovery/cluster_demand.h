// ClusterDemand: ODCDS: the clusters that requests ask for, at every source that a filter names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/on_demand.h"
#include "server/clusters.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// What came it keeps up to date, as CDS does. Owned by the server; outlives the workers. Thread: main; ask(): any.
class ClusterDemand final : public model::ClustersOnDemand {
 public:
  ClusterDemand(Clusters& clusters, const DiscoveryTools& tools);
  ~ClusterDemand();

  void ask(const model::ConfigSource& source, std::string name, model::Asker asker) override;
  // Nothing is asked for any more.
  void clear();

 private:
  class Source;

  void on_ask(const model::ConfigSource& source, const std::string& name, model::Asker asker);
  Source& at(const model::ConfigSource& source);

  Clusters& clusters_;
  const DiscoveryTools& tools_;
  bool cleared_ = false;
  std::vector<std::unique_ptr<Source>> sources_;  // as many as the configuration names
};

}  // namespace sluice::server
