// ClusterHandle: keeps a cluster that is looked at.
#pragma once

#include <cstddef>
#include <utility>

#include "upstream/cluster.h"

namespace sluice::upstream {

// Keeps a cluster while somebody looks at it, even when it is replaced or removed meanwhile. A plain count of its
// worker. Thread: worker.
class ClusterHandle {
 public:
  ClusterHandle() = default;
  ~ClusterHandle() { reset(nullptr); }
  ClusterHandle(const ClusterHandle&) = delete;
  ClusterHandle& operator=(const ClusterHandle&) = delete;
  ClusterHandle& operator=(Cluster* cluster) {
    reset(cluster);
    return *this;
  }

  Cluster* get() const { return cluster_; }
  Cluster* operator->() const { return cluster_; }
  Cluster& operator*() const { return *cluster_; }
  bool operator==(std::nullptr_t) const { return cluster_ == nullptr; }

 private:
  void reset(Cluster* cluster) {
    if (cluster != nullptr) cluster->hold();
    if (Cluster* old = std::exchange(cluster_, cluster); old != nullptr) old->let_go();
  }

  Cluster* cluster_ = nullptr;
};

}  // namespace sluice::upstream
