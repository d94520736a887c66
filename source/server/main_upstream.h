// MainUpstream: the way of the main thread to upstreams: health checks, control planes, collectors. The same pools,
// TLS, breakers and stats as on a worker.
#pragma once

#include "base/owner.h"
#include "net/outbox.h"
#include "server/platform.h"
#include "stats/registry.h"
#include "upstream/cluster_set.h"
#include "upstream/worker_local.h"

namespace sluice::server {

// Owned by the server; cleared before its clusters end. Thread: main.
class MainUpstream {
 public:
  MainUpstream(Platform& platform, stats::Registry& registry, stats::WorkerCells& cells);
  ~MainUpstream();

  upstream::WorkerLocal& local() { return local_; }
  // As a worker has them. What find() gives is valid until that cluster is removed: ask again for each call.
  upstream::ClusterSet& clusters() { return clusters_; }
  void clear() { clusters_.clear(); }

 private:
  Owner arena_owner_{"main arenas"};
  Owner slab_owner_{"main slabs"};
  ChunkPool chunks_{arena_owner_};
  buffer::SlabPool slabs_{slab_owner_};
  net::FlushQueue flushes_;
  upstream::WorkerLocal local_;
  upstream::ClusterSet clusters_{local_};
};

}  // namespace sluice::server
