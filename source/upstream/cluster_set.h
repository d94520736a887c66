// ClusterSet: the clusters of one worker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/function.h"
#include "upstream/cluster.h"

namespace sluice::upstream {

// The clusters of one worker by name. What a worker needs of a cluster is made when it asks for it first: a cluster
// that has no traffic costs its entry. Thread: worker.
class ClusterSet {
 public:
  explicit ClusterSet(WorkerLocal& local) : local_(local) {}
  // For zone aware routing; before any request. `cluster`: cluster_manager.local_cluster_name.
  void set_own_zone(std::string cluster, model::Locality locality) {
    own_cluster_ = std::move(cluster);
    own_zone_.locality = std::move(locality);
  }
  // Of the proxy; empty: it has none.
  const std::string& zone() const { return own_zone_.locality.zone; }
  // As it is now; null: zones do not count for who is chosen.
  const OwnZone* own_zone();

  // Takes the place of one of the same name. `hosts`: its hosts now, for main changes them.
  void add(std::shared_ptr<ClusterShared> shared, HostSetPtr hosts);
  // Unless another one has its name by now.
  void remove(const std::shared_ptr<ClusterShared>& shared);
  // Null when there is none of that name.
  Cluster* find(std::string_view name);
  // Where find() looks for those that were not added: what is asked for by few keeps no entry for the others.
  using Source = Function<std::shared_ptr<ClusterShared>(std::string_view name)>;
  void take_from(Source source) { source_ = std::move(source); }
  bool has(std::string_view name) const { return clusters_.contains(name); }
  void update(const std::shared_ptr<ClusterShared>& shared, HostSetPtr hosts);
  void clear() {
    clusters_.clear();
    retired_.clear();
  }

 private:
  struct Entry {
    std::shared_ptr<ClusterShared> shared;
    HostSetPtr hosts;                  // until `cluster` has them
    std::unique_ptr<Cluster> cluster;  // null: nobody asked yet
  };
  friend class Cluster;
  void retire(std::unique_ptr<Cluster> cluster);
  void bury(Cluster& cluster);

  WorkerLocal& local_;
  std::string own_cluster_;  // empty: zones do not count
  OwnZone own_zone_;
  Source source_;
  std::unordered_map<std::string_view, Entry> clusters_;  // the names are those of the plans
  std::vector<std::unique_ptr<Cluster>> retired_;
};

}  // namespace sluice::upstream
