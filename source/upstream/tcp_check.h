// TcpCheckSession: health checks by connecting, or by what comes back to some bytes.
#pragma once

#include <memory>
#include <string>

#include "buffer/buffer.h"
#include "net/transport.h"
#include "upstream/health_checker.h"

namespace sluice::upstream {

// Thread: main.
class TcpCheckSession final : public CheckSession, private net::TransportHandler {
 public:
  TcpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host);
  ~TcpCheckSession() override;

 private:
  // A peer that says so much without what is waited for is not well.
  static constexpr size_t kMaxAnswer = 64 * 1024;

  // CheckSession
  void begin_check() override;
  void give_up_check() override { close(); }
  // net::TransportHandler
  void on_ready(net::Ready ready) override;

  void close();
  void send();
  void write();
  void read();
  void lost();

  const model::TcpCheck& check_;
  std::unique_ptr<net::Transport> transport_;  // null: not connected
  buffer::Buffer in_, out_;
  std::string answer_;
  bool connected_ = false;
};

}  // namespace sluice::upstream
