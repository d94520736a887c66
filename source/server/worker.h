// Worker: one thread of the data plane: its loop, its network, its clusters, its listeners.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/owner.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "net/internal_network.h"
#include "net/network.h"
#include "net/outbox.h"
#include "proxy/access_log/access_logger.h"
#include "proxy/listener.h"
#include "stats/registry.h"
#include "upstream/cluster_set.h"

namespace sluice::server {

// The seams of one worker. Owned by its Worker. Thread: its worker's.
struct WorkerSeams {
  std::unique_ptr<event::Loop> loop;
  std::unique_ptr<net::Network> network;
  std::unique_ptr<Random> random;
  size_t internal_buffer = net::InternalNetwork::kDefaultLimit;  // of connections to internal listeners, each way
};

// Built on main before its thread runs; after that main reaches it through loop().post() alone. Thread: its own.
class Worker final : private proxy::ListenerTable {
 public:
  Worker(uint32_t index, WorkerSeams seams, stats::Registry& registry, proxy::ServerState& state);
  ~Worker();

  event::Loop& loop() { return *seams_.loop; }
  uint32_t index() const { return local_.index; }
  stats::WorkerCells& cells() { return cells_; }

  // --- on the worker's thread ---
  upstream::ClusterSet& clusters() { return clusters_; }
  // A listener is known by the number that the main thread gave it; a number that is gone is passed over. A size_t says
  // how many connections are told to go.
  // The listener `instead_of`, if any, listens on the same sockets: it retires in the same breath, and who waits in the
  // queue is accepted by the new one.
  size_t add_listener(uint64_t id, model::ListenerPlanPtr plan, const proxy::ListenOn& on, uint64_t instead_of);
  // In place; see proxy::Listener.
  size_t update_listener(uint64_t id, model::ListenerPlanPtr plan, uint64_t update);
  void cut_chains(uint64_t id, uint64_t update);
  // Of all listeners, those that come later as well.
  void set_accepting(proxy::Accepting accepting);
  // Its connections go on.
  void stop_accepting(uint64_t id, proxy::Waiting waiting);
  // Stops accepting, and its clients are told to go.
  size_t retire_listener(uint64_t id, proxy::Waiting waiting);
  // Cuts what is left.
  void remove_listener(uint64_t id);
  // Idle connections go now, busy ones with their answer; `when_empty` is called once, when the last is gone.
  void drain(Function<void()> when_empty);
  size_t connections() const;
  // Cuts what is left and lets everything go; the loop may be stopped then.
  void close();

 private:
  // proxy::ListenerTable
  proxy::Listener* unbound_listener(const net::Address& address) override;
  proxy::Listener* find(uint64_t id) const;
  void check_empty();

  WorkerSeams seams_;
  Owner arena_owner_{"arenas"};
  Owner slab_owner_{"slabs"};
  ChunkPool chunks_{arena_owner_};
  buffer::SlabPool slabs_{slab_owner_};
  net::InternalNetwork network_;
  net::FlushQueue flushes_;
  stats::WorkerCells cells_;
  upstream::WorkerLocal local_;
  upstream::ClusterSet clusters_;
  proxy::ProxyLocal proxy_;
  proxy::LogSinks log_sinks_{proxy_};
  std::vector<std::unique_ptr<proxy::Listener>> listeners_;  // those that retired as well
  std::vector<std::unique_ptr<proxy::Listener>> removed_;    // what died with their connections still looks at them
  event::Timer bury_;
  proxy::Accepting accepting_ = proxy::Accepting::kOn;
  Function<void()> when_empty_;
  event::Timer empty_check_;
};

}  // namespace sluice::server
