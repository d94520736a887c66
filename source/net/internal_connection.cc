#include "net/internal_connection.h"

#include <algorithm>
#include <span>

#include "net/internal_address.h"

namespace sluice::net {

namespace {
constexpr std::string_view kPeerReset = "Connection reset by peer";
constexpr std::string_view kNobodyListens = "Invalid argument";  // as Envoy says it

bool says_something(const Ready& ready) {
  return ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed;
}
}  // namespace

InternalConnection::InternalConnection(event::Loop& loop, buffer::SlabPool& slabs, size_t limit, const Address& local,
                                       const Address& remote)
    : limit_(limit), arrived_(slabs), turn_(loop.timers(), [this] { tell(); }), local_(local), remote_(remote) {}

InternalConnection::Pair InternalConnection::make(event::Loop& loop, buffer::SlabPool& slabs, size_t limit,
                                                  const Address& listener) {
  Pair out{new InternalConnection(loop, slabs, limit, internal_client(), listener),
           new InternalConnection(loop, slabs, limit, listener, internal_client())};
  out.first->peer_ = out.second.get();
  out.second->peer_ = out.first.get();
  out.first->connecting_ = true;
  return out;
}

std::unique_ptr<InternalConnection> InternalConnection::refused(event::Loop& loop, buffer::SlabPool& slabs,
                                                                const Address& listener) {
  std::unique_ptr<InternalConnection> out(new InternalConnection(loop, slabs, 0, internal_client(), listener));
  out->refused_ = true;
  out->failure_ = kNobodyListens;
  return out;
}

void InternalConnection::pass(Passed passed) {
  if (peer_ != nullptr) {
    peer_->passed_ = std::make_unique<const Passed>(std::move(passed));
  }
}

// ---- events

Ready InternalConnection::judge() const {
  Ready ready;
  if (closed_ || handler_ == nullptr || failed_told_) {
    return ready;
  }
  if (refused_) {
    ready.failed = true;
    ready.fault = ConnectFault::kAtOnce;
    return ready;
  }
  ready.connected = connecting_;
  ready.writable = writing_ && (takes_more() || reset_);
  if (reading_ && !eof_read_) {
    ready.readable = !arrived_.empty() || fin_ || reset_;
  } else if (reset_) {
    ready.failed = true;
    ready.writable = false;
  } else {
    ready.peer_closed = fin_ && !eof_read_ && !peer_closed_told_;
  }
  return ready;
}

void InternalConnection::news() {
  if (!turn_.armed() && says_something(judge())) {
    turn_.arm(Duration(0));
  }
}

void InternalConnection::tell() {
  const Ready ready = judge();
  if (!says_something(ready)) {
    return;
  }
  connecting_ = connecting_ && !ready.connected;
  peer_closed_told_ |= ready.peer_closed;
  failed_told_ |= ready.failed;
  if (ready.failed && failure_.empty()) {
    failure_ = kPeerReset;
  }
  handler_->on_ready(ready);  // may close it, but it goes later
  news();                     // what was not taken is told again
}

void InternalConnection::set_handler(TransportHandler* handler) {
  handler_ = handler;
  news();
}

void InternalConnection::want_read(bool on) {
  reading_ = on;
  news();
}

void InternalConnection::want_write(bool on) {
  writing_ = on;
  news();
}

// ---- bytes

bool InternalConnection::takes_more() const {
  if (peer_ == nullptr || finished_) {
    return true;  // write() says that it fails
  }
  return full_ ? peer_->arrived_.size() <= low_mark() : peer_->arrived_.size() < limit_;
}

IoResult InternalConnection::read(ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (closed_ || refused_) {
    return {IoStatus::kFailed};
  }
  const std::span<char> room = lease.room();
  const size_t n = std::min({max, room.size(), arrived_.size()});
  if (n == 0) {
    if (max == 0 || room.empty()) {
      return {IoStatus::kAgain};
    }
    if (reset_ && !fin_) {
      failure_ = kPeerReset;
      return {IoStatus::kFailed};
    }
    eof_read_ = fin_;
    return {fin_ ? IoStatus::kEof : IoStatus::kAgain};
  }
  arrived_.copy_out(room.data(), n);
  arrived_.drain(n);
  lease.use(n);
  into.append_borrowed({room.data(), n});
  if (peer_ != nullptr) {
    peer_->news();
  }
  return {IoStatus::kOk, n};
}

IoResult InternalConnection::write(buffer::Buffer& from) {
  if (closed_ || broken() || finished_) {
    if (reset_ && failure_.empty()) {
      failure_ = kPeerReset;
    }
    return {IoStatus::kFailed};
  }
  if (from.empty()) {
    return {IoStatus::kOk};
  }
  if (peer_ == nullptr) {  // it is gone: as with a socket the next one hears of it, and what it had sent can be read
    const size_t lost = from.size();
    from.clear();
    reset_ = true;
    news();
    return {IoStatus::kOk, lost};
  }
  if (connecting_ || !takes_more()) {
    return {IoStatus::kAgain};
  }
  buffer::Buffer& to = peer_->arrived_;
  const size_t n = std::min(from.size(), limit_ - std::min(limit_, to.size()));
  full_ = n < from.size();
  to.move_from(from, n);
  to.own();
  written_ += n;
  peer_->news();
  return {IoStatus::kOk, n};
}

// ---- the end

void InternalConnection::shutdown_write() {
  if (closed_ || broken() || std::exchange(finished_, true) || peer_ == nullptr) {
    return;
  }
  peer_->fin_ = true;
  peer_->news();
}

void InternalConnection::close(CloseHow how) {
  if (std::exchange(closed_, true)) {
    return;
  }
  turn_.cancel();
  handler_ = nullptr;
  arrived_.clear();
  if (InternalConnection* const peer = std::exchange(peer_, nullptr)) {
    peer->peer_ = nullptr;
    (how == CloseHow::kReset ? peer->reset_ : peer->fin_) = true;
    peer->news();
  }
}

}  // namespace sluice::net
