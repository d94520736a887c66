// Network: listening and connecting as a seam. UvNetwork makes sockets, SimNetwork makes pipes in virtual time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "net/address.h"
#include "net/happy_eyeballs.h"
#include "net/transport.h"

namespace sluice::net {

// One of socket_options: what setsockopt() is told before the socket is bound, after that, or once it listens.
struct SocketOption {
  enum class When : uint8_t { kPrebind, kBound, kListening };
  int level = 0, name = 0;
  std::string value;  // the bytes as the system takes them
  When when = When::kPrebind;
  AddressKind only = AddressKind::kNone;  // for sockets of this kind; kNone: for all
  friend bool operator==(const SocketOption&, const SocketOption&) = default;
};
// Null: none. Shared by the plans of many clusters. Thread: any (immutable).
using SocketOptionsPtr = std::shared_ptr<const std::vector<SocketOption>>;

// 0: as the system has it. Thread: any.
struct Keepalive {
  uint32_t probes = 0, idle_s = 0, interval_s = 0;
  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

struct ListenOptions {
  bool reuse_port = true;  // one descriptor for each worker; false: one, shared by dup
  bool bind_to_port = true;
  uint32_t backlog = 0;      // 0: the system's somaxconn
  bool ipv4_compat = false;  // an IPv6 socket takes IPv4 too
  uint32_t unix_mode = 0;    // of a unix socket's path; 0: leave it to the umask
  bool freebind = false;     // the address need not be one of this machine
  bool transparent = false;  // IP_TRANSPARENT: connections to any address may be led here; needs a capability
  bool mptcp = false;        // several paths for one connection (RFC 8684), for clients that have them
  std::optional<uint32_t> fast_open_queue;  // tcp_fast_open_queue_length; 0: off
  std::optional<Keepalive> keepalive;       // of the connections that come
  SocketOptionsPtr more;                    // socket_options; one that fails fails the listener

  // Whether sockets made with them serve both. The length of the queue stays what it was, as with Envoy.
  bool makes_same_socket(const ListenOptions& other) const;
};

class Balance;

// How to accept. Thread: any (immutable).
struct AcceptOptions {
  uint32_t per_event = 32;           // at most so many before others have their turn
  std::shared_ptr<Balance> balance;  // null: whoever accepts a connection serves it
};

// An address and its descriptors, one for each worker. Belongs to the server; outlives plans. Thread: main.
class ListenSocket {
 public:
  virtual ~ListenSocket() = default;
  // The real address (a port of 0 was replaced by the one that the system chose).
  virtual const Address& address() const = 0;
  // Before it is destroyed, which resets whoever waits in its queue: nobody else gets in, and who is in can still be
  // accepted. A client that comes later tries again for a while, and is refused once the socket is gone.
  virtual void close_queue() = 0;
  // It stays after all.
  virtual void open_queue() = 0;
};

// How to connect. Thread: any (immutable).
struct ConnectOptions {
  Address source;         // kNone: the system chooses
  Address other_source;   // for peers of the other IP version than `source`; kNone: `source` for them too
  bool freebind = false;  // the source need not be an address of this machine
  std::optional<Keepalive> keepalive;
  SocketOptionsPtr more;        // socket_options; a connection for which one fails fails as bind() does
  SocketOptionsPtr other_more;  // in their place with `other_source`; null: `more`
  FamilyOrder families;         // of a peer that has several addresses

  bool uses_other(const Address& peer) const { return other_source.is_ip() && other_source.kind() == peer.kind(); }
  const Address& source_for(const Address& peer) const { return uses_other(peer) ? other_source : source; }
  const SocketOptionsPtr& options_for(const Address& peer) const {
    return uses_other(peer) && other_more != nullptr ? other_more : more;
  }
};

// Accepts on one worker; destroying it stops accepting (the socket itself lives on with its ListenSocket). Owned by
// the worker's Listener. Thread: worker.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  // Off: no accept until on again; connections wait in the kernel's queue.
  virtual void want_accept(bool on) = 0;
  // Takes everybody who waits in the queue at this moment.
  virtual void take_waiting() = 0;
};

// What an Acceptor tells. `transport` is connected; never null.
using OnAccept = Function<void(std::unique_ptr<Transport> transport)>;

// Thread: bind() on main, the rest on the worker that owns it.
class Network {
 public:
  virtual ~Network() = default;

  // Binds (and for every worker listens on) an address. Errors name the address and the reason.
  virtual Result<std::unique_ptr<ListenSocket>> bind(const Address& address, const ListenOptions& options,
                                                     uint32_t workers) = 0;
  // Takes connections of `socket` for this worker. Failures (no descriptors) pause accepting for a moment.
  virtual std::unique_ptr<Acceptor> accept(ListenSocket& socket, uint32_t worker, const AcceptOptions& options,
                                           OnAccept on_accept) = 0;
  std::unique_ptr<Acceptor> accept(ListenSocket& socket, uint32_t worker, OnAccept on_accept) {
    return accept(socket, worker, AcceptOptions{}, std::move(on_accept));
  }
  // Begins to connect; the handler gets `connected` or `failed`. Never null: immediate failures are told later too.
  virtual std::unique_ptr<Transport> connect(const Address& address, const ConnectOptions& options) = 0;
  std::unique_ptr<Transport> connect(const Address& address) { return connect(address, ConnectOptions{}); }

  virtual ReadBuffer& read_buffer() = 0;
};

}  // namespace sluice::net
