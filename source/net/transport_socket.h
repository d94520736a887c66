// TransportSocket: what wraps a byte pipe into another one (TLS around a socket), as a filter chain or a cluster asks
// for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "base/time.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "net/transport.h"
#include "stats/registry.h"

namespace sluice::net {

// What one upstream connection asks for beside its cluster's configuration: out of the request that opened it.
// Connections of different wishes are never exchanged. Immutable. Thread: worker.
struct TransportWishes {
  std::string server_name;                 // auto_sni: SNI in place of the configured one; empty: as configured
  std::vector<std::string> verify_names;   // auto_san_validation: one of them must stand in the peer's certificate
  std::vector<std::string> alpn_fallback;  // offered when no protocols are configured; not a part of the key
  std::vector<std::string> alpn;           // offered whatever is configured; empty: nothing. Not a part of the key
  std::string host_name;                   // the host's, for auto_host_sni; not a part of the key
  uint64_t of_client = 0;                  // number of the client's connection that has its own; 0: anybody's
  // Of the client whose bytes alone it will carry, and where that wanted to go, for a PROXY header; kNone: of nobody's.
  Address client, client_wanted;

  bool empty() const { return server_name.empty() && verify_names.empty() && of_client == 0; }
  // Equal keys, equal wishes.
  std::string key() const;
};

// What a worker lends to its transport sockets; outlives them. Thread: worker.
struct TransportScope {
  event::Loop& loop;
  buffer::SlabPool& slabs;
  ReadBuffer& read_buffer;
  stats::Registry& registry;
  stats::WorkerCells& cells;
};

// On one worker, for one filter chain or cluster; closes nothing by itself: its transports are closed before it goes.
// Thread: worker.
class TransportSocket {
 public:
  virtual ~TransportSocket() = default;
  // An accepted connection. After `timeout` (0: none) without a finished handshake it fails, and `on_timeout` is called
  // before.
  virtual std::unique_ptr<Transport> accept(std::unique_ptr<Transport> inner, Duration timeout,
                                            Function<void()> on_timeout) = 0;
  // A connection that is being made. `connected` comes after the handshake. `wishes` may be null.
  virtual std::unique_ptr<Transport> connect(std::unique_ptr<Transport> inner, const TransportWishes* wishes) = 0;
};

// Compiled configuration; immutable but for certificates, which may change while it serves. Thread: any.
class TransportSocketPlan {
 public:
  virtual ~TransportSocketPlan() = default;
  // `stat_prefix`: "listener.ADDRESS." or "cluster.NAME.".
  virtual std::unique_ptr<TransportSocket> on_worker(const TransportScope& scope,
                                                     std::string_view stat_prefix) const = 0;
  virtual bool is_tls() const = 0;
};
using TransportSocketPlanPtr = std::shared_ptr<const TransportSocketPlan>;

}  // namespace sluice::net
