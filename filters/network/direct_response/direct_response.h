// DirectResponse: sends a fixed text and ends.
#pragma once

#include <memory>
#include <string>

#include "proxy/byte_server.h"

namespace sluice::filters::direct_response {

// Owned by its Listener. Thread: worker.
class DirectResponseServer final : public proxy::ByteServer {
 public:
  DirectResponseServer(const proxy::ProxyLocal& proxy, const proxy::ListenerFacts& listener,
                       std::shared_ptr<const std::string> text)
      : ByteServer(proxy, listener), text_(std::move(text)) {}
  void serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) override;

 private:
  std::shared_ptr<const std::string> text_;
};

// Immutable, shared by all workers. Thread: any.
class DirectResponse final : public proxy::TerminalFilter {
 public:
  explicit DirectResponse(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
  std::unique_ptr<proxy::ChainServer> on_worker(const proxy::ProxyLocal& proxy,
                                                const proxy::ListenerFacts& listener) const override {
    return std::make_unique<DirectResponseServer>(proxy, listener, text_);
  }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace sluice::filters::direct_response
