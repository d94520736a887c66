// MainLocal: what connections of the main thread need (health checks): its loop, network, memory and counters.
#pragma once

#include "base/arena.h"
#include "base/owner.h"
#include "base/random.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "net/network.h"
#include "stats/registry.h"

namespace sluice::upstream {

// Outlives its connections. Thread: main.
class MainLocal {
 public:
  MainLocal(event::Loop& the_loop, net::Network& the_network, Random& the_random, stats::WorkerCells& the_cells)
      : loop(the_loop), network(the_network), random(the_random), cells(the_cells) {}

  event::Loop& loop;
  net::Network& network;
  Random& random;
  stats::WorkerCells& cells;

 private:
  Owner arena_owner_{"main arenas"};
  Owner slab_owner_{"main slabs"};

 public:
  ChunkPool chunks{arena_owner_};
  buffer::SlabPool slabs{slab_owner_};
};

}  // namespace sluice::upstream
