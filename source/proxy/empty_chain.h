// EmptyChain: serves a filter chain that has no filters. Envoy accepts such a configuration and closes every
// connection.
#pragma once

#include <memory>

#include "proxy/chain_server.h"

namespace sluice::proxy {

// Owned by its worker's Listener. Thread: worker.
class EmptyChainServer final : public ChainServer {
 public:
  explicit EmptyChainServer(const ProxyLocal& proxy) : proxy_(proxy) {}

  void serve(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) override {
    transport->close(net::CloseHow::kFin);
    accepted->end();
    proxy_.local.loop.destroy_later(std::move(transport));
  }
  void start_drain() override {}
  size_t connections() const override { return 0; }
  void close_all() override {}

 private:
  const ProxyLocal proxy_;
};

// Immutable, shared by all workers. Thread: any.
class EmptyChain final : public TerminalFilter {
 public:
  std::unique_ptr<ChainServer> on_worker(const ProxyLocal& proxy, const ListenerFacts&) const override {
    return std::make_unique<EmptyChainServer>(proxy);
  }
};

}  // namespace sluice::proxy
