// EmptyChain: serves a filter chain that has no filters. Envoy accepts such a configuration and closes every
// connection.
#pragma once

#include <memory>

#include "proxy/chain_server.h"

namespace sluice::proxy {

// Owned by its worker's Listener. Thread: worker.
class EmptyChainServer final : public ChainServer {
 public:
  EmptyChainServer(const ProxyLocal& proxy, const ListenerFacts& listener)
      : proxy_(proxy), plain_(listener.chain.transport_socket == nullptr) {}

  void serve(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) override {
    if (plain_) {
      // Of bytes that nobody read the kernel would make a reset.
      net::ReadLease lease(proxy_.local.network.read_buffer());
      buffer::Buffer unread(proxy_.local.slabs);
      transport->read(lease, net::ReadBuffer::kBytes, unread);
    }
    transport->close(net::CloseHow::kFin);
    accepted->end();
    proxy_.local.loop.destroy_later(std::move(transport));
  }
  void start_drain() override {}
  size_t connections() const override { return 0; }
  void close_all() override {}

 private:
  const ProxyLocal proxy_;
  const bool plain_;
};

// Immutable, shared by all workers. Thread: any.
class EmptyChain final : public TerminalFilter {
 public:
  std::unique_ptr<ChainServer> on_worker(const ProxyLocal& proxy, const ListenerFacts& listener) const override {
    return std::make_unique<EmptyChainServer>(proxy, listener);
  }
};

}  // namespace sluice::proxy
