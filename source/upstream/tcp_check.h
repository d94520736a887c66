// TcpCheckSession: health checks by connecting, or by what comes back to some bytes.
#pragma once

#include <memory>
#include <string>

#include "upstream/check_pipe.h"
#include "upstream/health_checker.h"

namespace sluice::upstream {

// Thread: main.
class TcpCheckSession final : public CheckSession, private CheckPipeUser {
 public:
  TcpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host);

 private:
  // A peer that says so much without what is waited for is not well.
  static constexpr size_t kMaxAnswer = 64 * 1024;

  // CheckSession
  void begin_check() override;
  void give_up_check() override { pipe_.close(); }
  // CheckPipeUser
  void on_pipe_open() override;
  void on_pipe_failed() override { lost(); }
  void on_pipe_data(buffer::Buffer& in) override;
  void on_pipe_read(Peer peer) override;

  void send();
  void lost();

  const model::TcpCheck& check_;
  CheckPipe pipe_;
  std::string answer_;
};

}  // namespace sluice::upstream
