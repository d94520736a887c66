// UvListenSocket and UvAcceptor: listening descriptors and what accepts from them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "event/uv_loop.h"
#include "net/network.h"
#include "net/uv_socket.h"

namespace sluice::net {

class UvSeats;

// Owns the descriptors of one address. Thread: main; descriptor() and seats() any, while it lives.
class UvListenSocket final : public ListenSocket {
 public:
  static Result<std::unique_ptr<ListenSocket>> bind(const Address& address, const ListenOptions& options,
                                                    uint32_t workers);
  ~UvListenSocket() override;
  const Address& address() const override { return address_; }
  void close_queue() override;
  void open_queue() override;
  // From now on clients get in: with the first acceptor of a worker. Until then they are refused.
  void listen(uint32_t worker) const;
  // The descriptor of a worker; -1 for an address that is not bound to a port.
  int descriptor(uint32_t worker) const;
  // Who accepts on it.
  const std::shared_ptr<UvSeats>& seats() const { return seats_; }

 private:
  UvListenSocket(const Address& address, uint32_t workers);
  Result<int> open(const ListenOptions& options, bool reuse_port) const;
  bool prepare(int fd, const ListenOptions& options) const;
  Result<void> check_port_is_free(const ListenOptions& options) const;
  Result<void> prepare_path() const;
  Result<void> start(const ListenOptions& options, uint32_t workers);
  Error error(std::string_view doing) const;

  Address address_;
  int backlog_ = 0;
  SocketOptionsPtr when_listening_;
  std::vector<int> descriptors_;  // one for each worker
  std::shared_ptr<UvSeats> seats_;
};

// Accepts a bounded number of connections per event; with a Balance it may pass them on to other workers. When the
// process has no descriptors left it pauses, 100 ms first and up to 1 s, so that a full process does not spin;
// connections wait in the kernel meanwhile. Thread: worker.
class UvAcceptor final : public Acceptor {
 public:
  UvAcceptor(event::UvLoop& loop, UvSocketShared& shared, const UvListenSocket& socket, uint32_t worker,
             const AcceptOptions& options, OnAccept on_accept);
  ~UvAcceptor() override;
  void want_accept(bool on) override;
  void take_waiting() override;

 private:
  friend class UvSeats;
  class Listening;  // destroyed at the end of the turn: the callback may destroy us
  event::UvLoop& loop_;
  std::unique_ptr<Listening> listening_;
};

// Where the workers of one socket are, so that one can pass a connection on to another. Each seat's acceptor belongs to
// its worker's thread, and is looked up there. Shared, since a connection may be on its way when the socket is closed.
// Thread: any.
class UvSeats {
 public:
  explicit UvSeats(uint32_t workers) : seats_(workers) {}
  // On the worker's thread. A later one takes the seat of an earlier one.
  void take(uint32_t worker, event::UvLoop& loop, UvAcceptor::Listening& listening);
  void leave(uint32_t worker, const UvAcceptor::Listening& listening);
  // False: nobody sits there. Otherwise the descriptor is that worker's, whatever it does with it.
  static bool pass(const std::shared_ptr<UvSeats>& seats, uint32_t worker, int fd, const Address& remote,
                   const std::shared_ptr<Balance>& balance);

 private:
  struct Seat {
    std::atomic<event::UvLoop*> loop{nullptr};
    UvAcceptor::Listening* listening = nullptr;  // of the worker's thread
  };
  std::vector<Seat> seats_;
};

}  // namespace sluice::net
