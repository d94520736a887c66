#include "server/main_upstream.h"

#include <utility>

namespace sluice::server {

MainUpstream::MainUpstream(Platform& platform, stats::Registry& registry, stats::WorkerCells& cells, Lookup lookup)
    : local_{platform.main_loop(),
             platform.main_network(),
             platform.random(),
             chunks_,
             slabs_,
             flushes_,
             registry,
             cells},
      lookup_(std::move(lookup)) {
  local_.loop.at_turn_end([this] { flushes_.flush_all(); });
}

MainUpstream::~MainUpstream() { local_.loop.at_turn_end(nullptr); }

upstream::Cluster* MainUpstream::find(std::string_view name) {
  if (const auto found = clusters_.find(name); found != clusters_.end()) {
    return found->second.get();
  }
  std::shared_ptr<upstream::ClusterShared> shared = lookup_(name);
  if (shared == nullptr) {
    return nullptr;
  }
  auto& cluster = clusters_[std::string(name)];
  cluster = std::make_unique<upstream::Cluster>(std::move(shared), local_);
  return cluster.get();
}

void MainUpstream::update(const std::shared_ptr<upstream::ClusterShared>& shared, upstream::HostSetPtr hosts) {
  const auto found = clusters_.find(shared->plan->name);
  if (found != clusters_.end() && found->second->shared() == shared) {
    found->second->update(std::move(hosts));
  }
}

void MainUpstream::remove(const upstream::ClusterShared& shared) {
  const auto found = clusters_.find(shared.plan->name);
  if (found != clusters_.end() && found->second->shared().get() == &shared) {
    // Who asked for this may stand on a call of it.
    local_.loop.post([gone = std::move(found->second)]() mutable { gone.reset(); });
    clusters_.erase(found);
  }
}

void MainUpstream::clear() {
  auto gone = std::move(clusters_);
  clusters_.clear();
}

}  // namespace sluice::server
