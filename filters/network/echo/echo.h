// Echo: sends back what comes.
#pragma once

#include "proxy/byte_server.h"

namespace sluice::filters::echo {

// Owned by its Listener. Thread: worker.
class EchoServer final : public proxy::ByteServer {
 public:
  using ByteServer::ByteServer;
  void serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) override;
};

// Immutable, shared by all workers. Thread: any.
class Echo final : public proxy::TerminalFilter {
 public:
  std::unique_ptr<proxy::ChainServer> on_worker(const proxy::ProxyLocal& proxy,
                                                const proxy::ListenerFacts& listener) const override {
    return std::make_unique<EchoServer>(proxy, listener);
  }
};

}  // namespace sluice::filters::echo
