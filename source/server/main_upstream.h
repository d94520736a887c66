// MainUpstream: the way of the main thread to upstreams: health checks, control planes, collectors. The same pools,
// TLS, breakers and stats as on a worker.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/owner.h"
#include "net/outbox.h"
#include "server/platform.h"
#include "stats/registry.h"
#include "upstream/cluster.h"
#include "upstream/worker_local.h"

namespace sluice::server {

// Owned by the server; cleared before its clusters. A cluster costs nothing here until it is asked for. Thread: main.
class MainUpstream {
 public:
  using Lookup = Function<std::shared_ptr<upstream::ClusterShared>(std::string_view name)>;
  // `lookup` finds what there is now; null: no such cluster.
  MainUpstream(Platform& platform, stats::Registry& registry, stats::WorkerCells& cells, Lookup lookup);
  ~MainUpstream();

  upstream::WorkerLocal& local() { return local_; }
  // Null: none of that name. Valid until that cluster is removed; ask again for each call.
  upstream::Cluster* find(std::string_view name);

  void update(const std::shared_ptr<upstream::ClusterShared>& shared, upstream::HostSetPtr hosts);
  // Its calls end at the end of the turn.
  void remove(const upstream::ClusterShared& shared);
  void clear();

 private:
  Owner arena_owner_{"main arenas"};
  Owner slab_owner_{"main slabs"};
  ChunkPool chunks_{arena_owner_};
  buffer::SlabPool slabs_{slab_owner_};
  net::FlushQueue flushes_;
  upstream::WorkerLocal local_;
  Lookup lookup_;
  std::map<std::string, std::unique_ptr<upstream::Cluster>, std::less<>> clusters_;
};

}  // namespace sluice::server
