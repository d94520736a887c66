#include "net/uv_network.h"

#include "net/uv_listen.h"

namespace sluice::net {

UvNetwork::UvNetwork(event::UvLoop& loop)
    : loop_(loop), shared_(loop), tell_failures_(loop.timers(), [this] { tell_failures(); }) {}

UvNetwork::~UvNetwork() {
  while (UvSocket* socket = shared_.failing.front()) {
    socket->close(CloseHow::kFin);
  }
  while (UvSocket* socket = shared_.open.front()) {
    socket->close(CloseHow::kFin);
  }
}

Result<std::unique_ptr<ListenSocket>> UvNetwork::bind(const Address& address, const ListenOptions& options,
                                                      uint32_t workers) {
  return UvListenSocket::bind(address, options, workers);
}

std::unique_ptr<Acceptor> UvNetwork::accept(ListenSocket& socket, uint32_t worker, const AcceptOptions& options,
                                            OnAccept on_accept) {
  return std::make_unique<UvAcceptor>(loop_, shared_, static_cast<UvListenSocket&>(socket), worker, options,
                                      std::move(on_accept));
}

std::unique_ptr<Transport> UvNetwork::connect(const Address& address, const ConnectOptions& options) {
  std::unique_ptr<UvSocket> socket = UvSocket::connecting(shared_, address, options);
  if (!shared_.failing.empty()) {
    tell_failures_.arm(Duration(0));
  }
  return socket;
}

void UvNetwork::tell_failures() {
  IntrusiveList<UvSocket> batch;
  batch.splice_back(shared_.failing);
  while (UvSocket* socket = batch.pop_front()) {
    shared_.open.push_back(*socket);
    socket->tell_failure();
  }
}

}  // namespace sluice::net
