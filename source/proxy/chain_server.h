// What serves the connections of one filter chain on one worker, and the network filter that makes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "model/listener_plan.h"
#include "model/on_demand.h"
#include "net/transport.h"
#include "proxy/accepted.h"
#include "proxy/drain.h"
#include "proxy/overload.h"
#include "upstream/cluster_set.h"
#include "upstream/worker_local.h"

namespace sluice::proxy {

// Who this proxy is, as collectors are told. A plain value.
struct Identity {
  std::string id, cluster, zone;
  std::string node;  // a serialized core.v3.Node
};

// Values of the whole process that the data path looks at; written on main, read by workers. Thread: any.
struct ServerState {
  Drain drain;
  Overload overload;
  std::atomic<uint64_t> next_connection_id{0};
  std::string machine_ip;                                 // set before the workers run; see net/machine_address.h
  Identity identity;                                      // the same
  model::ClustersOnDemand* clusters_on_demand = nullptr;  // the same; null: nobody gets any
};

// Finds another listener of the same worker. Owned by the worker. Thread: worker.
class ListenerTable {
 public:
  // The one that is not bound to a port and stands for this address: exactly, else for any address with its port. Null:
  // none does.
  virtual Listener* unbound_listener(const net::Address& address) = 0;

 protected:
  ~ListenerTable() = default;
};

class LogSinks;

// What a worker lends to what it serves. Outlives it. Thread: worker.
struct ProxyLocal {
  upstream::WorkerLocal& local;
  upstream::ClusterSet& clusters;
  ServerState& state;
  ListenerTable* listeners = nullptr;  // null: connections stay where they were accepted
  LogSinks* log_sinks = nullptr;       // null: what is no file is not logged
};

// What a chain server must know of its listener; outlives it. Thread: worker.
struct ListenerFacts {
  const model::ListenerFrame& plan;
  const model::FilterChainPlan& chain;
  const MonotonicTime& drain_since;  // when the drain of this chain alone began; Drain::kNever: it has not
};

enum class ClosedBy : uint8_t { kUs, kPeer };

// Owned by its worker's Listener. Thread: worker.
class ChainServer {
 public:
  virtual ~ChainServer() = default;
  // Takes an accepted connection, and tells accepted->end() when it is gone.
  virtual void serve(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) = 0;
  // A connection that ended while the network filters before this server looked at it: it is counted all the same.
  virtual void count_unserved(const Accepted&, ClosedBy) {}
  // The process ends: connections are told to go with their next answer, idle ones close when nothing more comes.
  virtual void start_drain() = 0;
  virtual size_t connections() const = 0;
  // Cuts what is left.
  virtual void close_all() = 0;
};

// A network filter that owns its connections: the last of a chain. Immutable, shared by all workers. Thread: any.
class TerminalFilter : public model::NetworkFilterPlan {
 public:
  virtual std::unique_ptr<ChainServer> on_worker(const ProxyLocal& proxy, const ListenerFacts& listener) const = 0;
};

}  // namespace sluice::proxy
