// WorkerLocal: what the objects of one worker share: its loop, network, memory and counters. The main thread has one
// too, for what it asks of upstreams itself (server/main_upstream.h).
#pragma once

#include "base/arena.h"
#include "base/owner.h"
#include "base/random.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "net/network.h"
#include "net/outbox.h"
#include "net/transport_socket.h"
#include "stats/registry.h"

namespace sluice::upstream {

// Outlives everything on its worker. Thread: its worker's, or main.
struct WorkerLocal {
  event::Loop& loop;
  net::Network& network;
  Random& random;
  ChunkPool& chunks;
  buffer::SlabPool& slabs;
  net::FlushQueue& flushes;
  stats::Registry& registry;
  stats::WorkerCells& cells;
  uint32_t index = 0;

  net::TransportScope transport_scope() const { return {loop, slabs, network.read_buffer(), registry, cells}; }
};

}  // namespace sluice::upstream
