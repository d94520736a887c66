// UvListenSocket and UvAcceptor: listening descriptors and what accepts from them.
#pragma once

#include <memory>
#include <vector>

#include "event/uv_loop.h"
#include "net/network.h"
#include "net/uv_socket.h"

namespace sluice::net {

// Owns the descriptors of one address. Thread: main; descriptor() any, while it lives.
class UvListenSocket final : public ListenSocket {
 public:
  static Result<std::unique_ptr<ListenSocket>> bind(const Address& address, const ListenOptions& options,
                                                    uint32_t workers);
  ~UvListenSocket() override;
  const Address& address() const override { return address_; }
  void close_queue() override;
  // The listening descriptor of a worker; -1 for an address that is not bound to a port.
  int descriptor(uint32_t worker) const;

 private:
  explicit UvListenSocket(const Address& address) : address_(address) {}
  Result<int> open(const ListenOptions& options, bool reuse_port) const;
  Result<void> check_port_is_free(const ListenOptions& options) const;
  Result<void> prepare_path() const;
  Result<void> start(const ListenOptions& options, uint32_t workers);
  Error error(std::string_view doing) const;

  Address address_;
  std::vector<int> descriptors_;  // one for each worker
};

// Accepts a bounded number of connections per event. When the process has no descriptors left it pauses, 100 ms first
// and up to 1 s, so that a full process does not spin; connections wait in the kernel meanwhile. Thread: worker.
class UvAcceptor final : public Acceptor {
 public:
  UvAcceptor(event::UvLoop& loop, UvSocketShared& shared, const UvListenSocket& socket, uint32_t worker,
             OnAccept on_accept);
  ~UvAcceptor() override;
  void want_accept(bool on) override;
  void take_waiting() override;

 private:
  class Listening;  // destroyed at the end of the turn: the callback may destroy us
  event::UvLoop& loop_;
  std::unique_ptr<Listening> listening_;
};

}  // namespace sluice::net
