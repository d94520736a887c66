// UvNetwork: the Network of production, on nonblocking sockets.
#pragma once

#include "event/uv_loop.h"
#include "net/network.h"
#include "net/uv_socket.h"

namespace sluice::net {

// One for each worker, and one for the main thread to bind with. Destroyed after the transports and acceptors that it
// made (those that wait in destroy_later() excepted: it closes what is still open) and before its loop. Thread: its
// loop's.
class UvNetwork final : public Network {
 public:
  explicit UvNetwork(event::UvLoop& loop);
  ~UvNetwork() override;

  Result<std::unique_ptr<ListenSocket>> bind(const Address& address, const ListenOptions& options,
                                             uint32_t workers) override;
  using Network::accept;
  std::unique_ptr<Acceptor> accept(ListenSocket& socket, uint32_t worker, const AcceptOptions& options,
                                   OnAccept on_accept) override;
  using Network::connect;
  std::unique_ptr<Transport> connect(const Address& address, const ConnectOptions& options) override;
  ReadBuffer& read_buffer() override { return read_buffer_; }

 private:
  void tell_failures();

  event::UvLoop& loop_;
  UvSocketShared shared_;
  ReadBuffer read_buffer_;
  event::Timer tell_failures_;
};

}  // namespace sluice::net
