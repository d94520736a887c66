#include "upstream/tcp_check.h"

#include "upstream/check_payload.h"

namespace sluice::upstream {

TcpCheckSession::TcpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host)
    : CheckSession(checker, std::move(host)),
      check_(*checker.plan().tcp),
      in_(checker.local().slabs),
      out_(checker.local().slabs) {}

TcpCheckSession::~TcpCheckSession() { close(); }

void TcpCheckSession::begin_check() {
  answer_.clear();
  if (transport_ != nullptr) {
    send();
    return;
  }
  connected_ = false;
  transport_ = checker().local().network.connect(address(), checker().cluster().plan->connect);
  transport_->set_handler(this);
}

void TcpCheckSession::close() {
  if (transport_ == nullptr) {
    return;
  }
  transport_->close(net::CloseHow::kFin);
  checker().local().loop.destroy_later(std::move(transport_));
  in_.clear();
  out_.clear();
}

void TcpCheckSession::on_ready(net::Ready ready) {
  if (!connected_) {
    if (ready.failed) {
      lost();
    } else if (ready.connected) {
      connected_ = true;
      send();
    }
    return;
  }
  if (ready.writable) write();
  if (ready.readable) {
    read();
  } else if (ready.failed) {
    lost();
  }
}

void TcpCheckSession::send() {
  if (check_.receive.empty()) {
    // To have connected is all.
    close();
    passed(Wellness::kHealthy);
    return;
  }
  out_.append_copy(check_.send);
  write();
}

void TcpCheckSession::write() {
  while (!out_.empty() && transport_->write(out_).status == net::IoStatus::kOk) {
  }
  transport_->want_write(!out_.empty());
}

void TcpCheckSession::read() {
  net::IoResult result{};
  {
    net::ReadLease lease(checker().local().network.read_buffer());
    result = transport_->read(lease, kMaxAnswer, in_);
    answer_ += in_.to_string();
    in_.clear();
  }
  const bool ended = result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed;
  if (checking() && has_payloads(answer_, check_.receive)) {
    if (ended || !checker().plan().reuse_connection) close();
    passed(Wellness::kHealthy);
  } else if (ended || answer_.size() > kMaxAnswer) {
    lost();
  }
}

void TcpCheckSession::lost() {
  close();
  if (checking()) failed(CheckFailure::kNetwork, Severity::kCounts);
}

}  // namespace sluice::upstream
