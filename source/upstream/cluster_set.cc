#include "upstream/cluster_set.h"

#include <algorithm>

namespace sluice::upstream {

void ClusterSet::add(std::shared_ptr<ClusterShared> shared, HostSetPtr hosts) {
  const std::string_view name = shared->plan->name;
  if (const auto former = clusters_.find(name); former != clusters_.end()) {
    // Its name goes with it.
    const auto node = clusters_.extract(former);
    retire(std::move(node.mapped().cluster));
  }
  clusters_.emplace(name, Entry{std::move(shared), std::move(hosts), nullptr});
}

void ClusterSet::remove(const std::shared_ptr<ClusterShared>& shared) {
  const auto found = clusters_.find(shared->plan->name);
  if (found != clusters_.end() && found->second.shared == shared) {
    std::unique_ptr<Cluster> cluster = std::move(found->second.cluster);
    clusters_.erase(found);
    retire(std::move(cluster));
  }
}

void ClusterSet::retire(std::unique_ptr<Cluster> cluster) {
  if (cluster != nullptr) {
    Cluster& last = *cluster;
    retired_.push_back(std::move(cluster));
    last.retire(*this);
  }
}

// Something of it may be on the stack.
void ClusterSet::bury(Cluster& cluster) {
  const auto found = std::find_if(retired_.begin(), retired_.end(),
                                  [&cluster](const auto& retired) { return retired.get() == &cluster; });
  local_.loop.destroy_later(std::move(*found));
  retired_.erase(found);
}

void ClusterSet::update(const std::shared_ptr<ClusterShared>& shared, HostSetPtr hosts) {
  const auto found = clusters_.find(shared->plan->name);
  // Another cluster may have the name by now.
  if (found == clusters_.end() || found->second.shared != shared) {
    return;
  }
  if (found->second.cluster != nullptr) {
    found->second.cluster->update(std::move(hosts));
  } else {
    found->second.hosts = std::move(hosts);
  }
}

const OwnZone* ClusterSet::own_zone() {
  if (own_cluster_.empty()) {
    return nullptr;
  }
  const Cluster* cluster = find(own_cluster_);
  own_zone_.peers = cluster == nullptr ? nullptr : cluster->hosts();
  return &own_zone_;
}

Cluster* ClusterSet::find(std::string_view name) {
  auto found = clusters_.find(name);
  if (found == clusters_.end()) {
    std::shared_ptr<ClusterShared> shared = source_ ? source_(name) : nullptr;
    if (shared == nullptr) {
      return nullptr;
    }
    const std::string_view key = shared->plan->name;
    found = clusters_.emplace(key, Entry{shared, shared->hosts(), nullptr}).first;
  }
  Entry& entry = found->second;
  if (entry.cluster == nullptr) {
    entry.cluster = std::make_unique<Cluster>(entry.shared, entry.hosts, local_, *this);
    entry.hosts = nullptr;
  }
  return entry.cluster.get();
}

}  // namespace sluice::upstream
