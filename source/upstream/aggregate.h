// Aggregate: a cluster (envoy.clusters.aggregate) whose hosts are those of other clusters: all priorities of the first
// one, then all of the second, and so on, as if they were its own.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/aggregate_cluster
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "upstream/host_set.h"
#include "upstream/load_balancer/load_balancer.h"

namespace sluice::upstream {

class Cluster;
class ClusterSet;

// A host, and the cluster whose connections lead to it: with an aggregate not the one that was asked. A plain value.
struct Chosen {
  Cluster* cluster = nullptr;
  Host* host = nullptr;  // null: none
};

// A worker's choice among the clusters `members` of its set; one that is not there, yet or any more, has no hosts. Owned
// by its Cluster. Thread: worker.
class Aggregate {
 public:
  Aggregate(const std::vector<std::string>& members, ClusterSet& set, Random& random)
      : members_(members), set_(set), random_(random) {}

  Chosen choose(const LbRequest& request);

 private:
  // One priority of one cluster, with its part of the requests.
  struct Level {
    Cluster* cluster;
    HostSet::Choice choice;
    uint32_t load = 0;  // percent, or hosts when all are in panic
  };
  struct Seen {
    Cluster* cluster = nullptr;
    HostSetPtr hosts;  // kept, so that another set is another address
  };

  bool look();
  void share_out();

  const std::vector<std::string>& members_;
  ClusterSet& set_;
  Random& random_;
  std::vector<Seen> seen_;
  std::vector<Level> levels_;
  uint32_t total_ = 0;
};

}  // namespace sluice::upstream
