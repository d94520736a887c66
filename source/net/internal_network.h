// InternalNetwork: the Network of a worker, with its internal listeners: who connects to envoy://LISTENER/ID gets a
// connection inside of the worker, and everything else goes to the network below.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "buffer/slab.h"
#include "event/loop.h"
#include "net/internal_connection.h"
#include "net/network.h"

namespace sluice::net {

// No socket: the name of an internal listener, under which each worker accepts. Belongs to the server. Thread: main.
class InternalListenSocket final : public ListenSocket {
 public:
  explicit InternalListenSocket(const Address& address) : address_(address) {}
  const Address& address() const override { return address_; }
  void close_queue() override {}
  void open_queue() override {}

 private:
  const Address address_;
};

// Part of its worker, which outlives connections and acceptors. Thread: worker.
class InternalNetwork final : public Network {
 public:
  static constexpr size_t kDefaultLimit = 1024 * 1024;  // buffer_size_kb
  InternalNetwork(event::Loop& loop, Network& below, buffer::SlabPool& slabs, size_t limit);
  ~InternalNetwork() override;

  Result<std::unique_ptr<ListenSocket>> bind(const Address& address, const ListenOptions& options,
                                             uint32_t workers) override;
  std::unique_ptr<Acceptor> accept(ListenSocket& socket, uint32_t worker, const AcceptOptions& options,
                                   OnAccept on_accept) override;
  using Network::accept;
  std::unique_ptr<Transport> connect(const Address& address, const ConnectOptions& options) override;
  using Network::connect;
  ReadBuffer& read_buffer() override { return below_.read_buffer(); }

 private:
  class Door;
  class DoorAcceptor;
  Door* find(std::string_view address) const;

  event::Loop& loop_;
  Network& below_;
  buffer::SlabPool& slabs_;
  const size_t limit_;
  std::map<std::string, std::unique_ptr<Door>, std::less<>> doors_;  // by "envoy://LISTENER/"
};

}  // namespace sluice::net
