// CallWorld: a simulated machine that makes calls, with one cluster whose host is at 10.0.0.9:9000.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "test/sim/sim_peers.h"
#include "test/support/sim_random.h"
#include "upstream/cluster_set.h"
#include "upstream/worker_local.h"

namespace sluice::test {

// Thread: the simulation's.
struct CallWorld {
  explicit CallWorld(model::UpstreamProtocol protocol, uint64_t seed = 1, uint32_t buffer_limit = 1 << 20)
      : world(seed), fabric(world), peers(fabric, "10.0.0.9"), loop(world), network(loop, fabric, "10.0.0.2") {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = "plane";
    plan->protocol = protocol;
    plan->connect_timeout = std::chrono::seconds(1);
    plan->buffer_limit = buffer_limit;
    plan->codec.enable_trailers = true;
    auto assignment = std::make_shared<model::AssignmentPlan>();
    assignment->localities.emplace_back();
    assignment->localities.back().endpoints.emplace_back();
    assignment->localities.back().endpoints.back().address = *net::Address::from_ip("10.0.0.9", 9000);
    plan->assignment = assignment;
    shared = std::make_shared<upstream::ClusterShared>(plan, registry, cells);
    cluster = std::make_unique<upstream::Cluster>(shared, shared->hosts(), local, set);
    loop.at_turn_end([this] { flushes.flush_turn(); });
  }
  ~CallWorld() {
    cluster.reset();
    world.run_for(std::chrono::seconds(1));
    loop.at_turn_end(nullptr);
  }
  uint64_t stat(std::string_view name) const {
    return registry.value(std::string("cluster.plane.").append(name)).value_or(0);
  }

  SimWorld world;
  SimFabric fabric;
  SimMachine peers;
  SimLoop loop;
  SimNetwork network;
  SimRandom random{7};
  Owner arena_owner{"caller arenas"};
  Owner slab_owner{"caller slabs"};
  ChunkPool chunks{arena_owner};
  buffer::SlabPool slabs{slab_owner};
  net::FlushQueue flushes;
  stats::Registry registry;
  stats::WorkerCells cells{registry};
  upstream::WorkerLocal local{loop, network, random, chunks, slabs, flushes, registry, cells};
  upstream::ClusterSet set{local};
  std::shared_ptr<upstream::ClusterShared> shared;
  std::unique_ptr<upstream::Cluster> cluster;
};

}  // namespace sluice::test
