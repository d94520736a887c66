#include "upstream/tcp_check.h"

#include "upstream/check_payload.h"

namespace sluice::upstream {

TcpCheckSession::TcpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host)
    : CheckSession(checker, std::move(host)),
      check_(*checker.plan().tcp),
      pipe_(checker.local(), static_cast<CheckPipeUser&>(*this)) {}

void TcpCheckSession::begin_check() {
  answer_.clear();
  if (pipe_.exists()) {
    send();
  } else {
    open(pipe_);
  }
}

// The first bytes of a connection. Version 2 has a form for those that are for nobody.
void TcpCheckSession::on_pipe_open() {
  if (check_.proxy && !check_.receive.empty()) {
    const bool anonymous = check_.proxy->version == net::ProxyVersion::kV2;
    const net::Transport& own = pipe_.transport();
    pipe_.out().append_copy(anonymous ? check_.proxy->encode({}, {}) : check_.proxy->encode(own.local(), own.remote()));
  }
  send();
}

void TcpCheckSession::send() {
  if (check_.receive.empty()) {
    // To have connected is all.
    pipe_.close();
    passed(Wellness::kHealthy);
    return;
  }
  pipe_.out().append_copy(check_.send);
  pipe_.write();
}

void TcpCheckSession::on_pipe_data(buffer::Buffer& in) {
  if (answer_.size() <= kMaxAnswer) answer_ += in.to_string();
  in.clear();
}

void TcpCheckSession::on_pipe_read(Peer peer) {
  const bool ended = peer == Peer::kEnded;
  if (checking() && has_payloads(answer_, check_.receive)) {
    if (!checker().plan().reuse_connection) pipe_.close();
    passed(Wellness::kHealthy);
  } else if (answer_.size() > kMaxAnswer) {
    lost();
  }
  if (ended && pipe_.exists()) lost();
}

// Also between two checks: a peer that closes a connection that was to be kept is not well.
void TcpCheckSession::lost() {
  pipe_.close();
  failed(CheckFailure::kNetwork, Severity::kCounts);
}

}  // namespace sluice::upstream
