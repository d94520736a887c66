#include "net/uv_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/acknowledged.h"
#include "net/socket_settings.h"

namespace sluice::net {

namespace {

constexpr size_t kMaxFragments = 64;

// The error that waits on a socket (taken from it), or 0.
int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool bind_source(int fd, const Address& source, const ConnectOptions& options) {
  // The port is chosen by connect(), so that one source address has as many ports for each peer.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (options.freebind) {
    set_freebind(fd, source.kind());
  }
  sockaddr_storage from;
  const socklen_t length = source.to_sockaddr(from);
  return bind(fd, reinterpret_cast<const sockaddr*>(&from), length) == 0;
}

}  // namespace

std::unique_ptr<UvSocket> UvSocket::accepted(UvSocketShared& shared, int fd, const Address& remote,
                                             std::shared_ptr<const Address> local) {
  std::unique_ptr<UvSocket> socket(new UvSocket(shared, fd, remote, State::kOpen));
  socket->local_ = std::move(local);
  shared.open.push_back(*socket);
  socket->sync_events();
  return socket->state_ == State::kOpen ? std::move(socket) : nullptr;
}

std::unique_ptr<UvSocket> UvSocket::connecting(UvSocketShared& shared, const Address& remote,
                                               const ConnectOptions& options) {
  std::unique_ptr<UvSocket> socket(new UvSocket(shared, -1, remote, State::kConnecting));
  const int error = socket->begin_connect(options);
  shared.open.push_back(*socket);
  if (error == 0) {
    socket->sync_events();
  } else {
    (void)socket->fail(error);
  }
  if (socket->state_ == State::kFailed) {
    socket->unlink();
    shared.failing.push_back(*socket);
  }
  return socket;
}

// Returns 0 when the outcome will come as an event (a unix socket is connected already), else errno.
int UvSocket::begin_connect(const ConnectOptions& options) {
  sockaddr_storage to;
  const socklen_t length = remote_.to_sockaddr(to);
  fd_ = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    return errno;
  }
  if (remote_.is_ip()) {
    set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.keepalive) {
      set_keepalive(fd_, *options.keepalive);
    }
  }
  const Address& source = options.source_for(remote_);
  const SocketOptionsPtr& more = options.options_for(remote_);
  if (!set_options(fd_, remote_.kind(), more, SocketOption::When::kPrebind) ||
      (remote_.is_ip() && source.is_ip() && !bind_source(fd_, source, options)) ||
      !set_options(fd_, remote_.kind(), more, SocketOption::When::kBound)) {
    fault_ = ConnectFault::kBind;
    return errno;
  }
  const bool going = connect(fd_, reinterpret_cast<const sockaddr*>(&to), length) == 0 || errno == EINPROGRESS;
  return going ? 0 : errno;
}

// A closed socket touches nothing that it shares: it may outlive its network.
UvSocket::~UvSocket() { close(CloseHow::kFin); }

void UvSocket::set_handler(TransportHandler* handler) {
  handler_ = handler;
  if (handler != nullptr && fd_ >= 0) {
    sync_events();
  }
}

// EPOLLERR and EPOLLHUP come unasked (EPOLLERR is here so that this is never 0). EPOLLRDHUP is asked for until the end
// of the peer's side has been told, so that it is seen while reading is off.
uint32_t UvSocket::wanted_events() const {
  if (state_ == State::kConnecting) {
    return EPOLLERR | EPOLLOUT;
  }
  uint32_t events = EPOLLERR;
  if (reading()) {
    events |= EPOLLIN;
  }
  if (!eof_ && !peer_closed_told_) {
    events |= EPOLLRDHUP;
  }
  if (write_on_) {
    events |= EPOLLOUT;
  }
  return events;
}

// Tells the epoll set what is wanted when it differs. A new socket without a handler is put in with EPOLLIN at once:
// its handler will come in this turn, and a second call is saved.
void UvSocket::sync_events() {
  if (state_ != State::kOpen && state_ != State::kConnecting) {
    return;
  }
  if (events_ == 0) {
    events_ = wanted_events();
    if (state_ == State::kOpen && read_on_ && !eof_) {
      events_ |= EPOLLIN;
    }
    if (!shared_.set.add(fd_, events_, *this)) {
      events_ = 0;
      (void)fail(errno);
    }
  } else if (const uint32_t wanted = wanted_events(); wanted != events_) {
    events_ = wanted;
    shared_.set.modify(fd_, wanted, *this);
  }
}

void UvSocket::stop_events() {
  if (events_ != 0) {
    events_ = 0;
    shared_.set.remove(fd_);
  }
}

IoResult UvSocket::fail(int error) {
  if (error_ == 0) {
    error_ = static_cast<uint16_t>(error);
  }
  state_ = State::kFailed;  // the next event, if one comes before close(), takes it out of the set
  return {IoStatus::kFailed};
}

IoResult UvSocket::read(ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (state_ == State::kConnecting) {
    return {IoStatus::kAgain};
  }
  if (fd_ < 0) {
    return {IoStatus::kFailed};
  }
  const std::span<char> room = lease.room();
  const size_t wanted = std::min(max, room.size());
  if (wanted == 0) {
    return {IoStatus::kAgain};
  }
  ssize_t n;
  do {
    n = recv(fd_, room.data(), wanted, 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    lease.use(static_cast<size_t>(n));
    into.append_borrowed({room.data(), static_cast<size_t>(n)});
    return {IoStatus::kOk, static_cast<size_t>(n)};
  }
  if (n == 0) {
    if (error_ != 0) {  // a write took the error from the socket: this end is the reset, not a FIN
      return fail(error_);
    }
    eof_ = true;
    return {IoStatus::kEof};
  }
  return errno == EAGAIN ? IoResult{IoStatus::kAgain} : fail(errno);
}

IoResult UvSocket::write(buffer::Buffer& from) {
  if (state_ != State::kOpen) {
    return {state_ == State::kConnecting ? IoStatus::kAgain : IoStatus::kFailed};
  }
  size_t done = 0;
  while (!from.empty()) {
    iovec parts[kMaxFragments];
    size_t count = from.fragments(parts, kMaxFragments);
    size_t offered = from.size();
    if (count > 1 && offered <= UvSocketShared::kFlat) {
      from.copy_out(shared_.flat.get(), offered);
      parts[0] = {shared_.flat.get(), offered};
      count = 1;
    } else if (count == 1 || count == kMaxFragments) {
      offered = 0;
      for (size_t i = 0; i < count; ++i) {
        offered += parts[i].iov_len;
      }
    }
    ssize_t n;
    if (count == 1) {
      n = send(fd_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = count;
      n = sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN) {
        // What the peer sent before it went away can still be read, so this is not yet the end.
        if (error_ == 0) error_ = static_cast<uint16_t>(errno);
        return {IoStatus::kFailed, done};
      }
      break;
    }
    from.drain(static_cast<size_t>(n));
    done += static_cast<size_t>(n);
    written_ += static_cast<uint64_t>(n);
    if (static_cast<size_t>(n) < offered) {
      break;
    }
  }
  return {done > 0 || from.empty() ? IoStatus::kOk : IoStatus::kAgain, done};
}

bool UvSocket::nothing_arrived_since(uint64_t mark) const {
  const std::optional<uint64_t> acknowledged = fd_ < 0 ? std::nullopt : acknowledged_bytes(fd_);
  return acknowledged && *acknowledged <= mark;
}

void UvSocket::want_read(bool on) {
  read_on_ = on;
  left_unread_ = false;
  // Off is told to the kernel only when bytes arrive, and still wait in the next turn; see on_events().
  if (on && fd_ >= 0 && (events_ & EPOLLIN) == 0) {
    sync_events();
  }
}

void UvSocket::want_write(bool on) {
  write_on_ = on;
  if (fd_ >= 0 && on != ((events_ & EPOLLOUT) != 0)) {
    sync_events();
  }
}

void UvSocket::shutdown_write() {
  if (state_ == State::kOpen) {
    shutdown(fd_, SHUT_WR);
  }
}

void UvSocket::close(CloseHow how) {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  handler_ = nullptr;
  unlink();
  shared_.set.forget(*this);
  if (fd_ < 0) {
    return;
  }
  if (how == CloseHow::kReset) {
    const linger abort{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  }
  (void)local();  // stays known for the access log
  ::close(fd_);   // takes it out of the epoll set, too
  fd_ = -1;
  events_ = 0;
}

const Address& UvSocket::local() const {
  static const Address unknown;
  if (local_ == nullptr && fd_ >= 0) {
    sockaddr_storage name;
    socklen_t length = sizeof(name);
    if (getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &length) == 0) {
      local_ =
          std::make_shared<const Address>(Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), length));
    }
  }
  return local_ != nullptr ? *local_ : unknown;
}

// The numbers are those of netfilter, whose headers cannot be included beside netinet/in.h.
std::optional<Address> UvSocket::original_destination() const {
  constexpr int kOriginalDestination = 80;  // SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST
  sockaddr_storage name;
  socklen_t length = sizeof(name);
  const int level = remote_.kind() == AddressKind::kIp6 ? SOL_IPV6 : SOL_IP;
  if (fd_ < 0 || !remote_.is_ip() || getsockopt(fd_, level, kOriginalDestination, &name, &length) != 0) {
    return std::nullopt;
  }
  return Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), length);
}

std::string_view UvSocket::failure() const {
  if (error_ == 0) {
    return {};
  }
  const char* text = strerrordesc_np(error_);
  return text != nullptr ? text : "Unknown error";
}

void UvSocket::tell_failure() {
  if (handler_ != nullptr) {
    handler_->on_ready({.failed = true, .fault = fault_});
  }
}

// True when connected; otherwise the connect goes on or has failed.
bool UvSocket::finish_connect(uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) {
    return false;
  }
  // Without one of these it is connected, and there is nothing to ask.
  if (const int error = (events & (EPOLLERR | EPOLLHUP)) != 0 ? pending_error(fd_) : 0; error != 0) {
    (void)fail(error);
    return false;
  }
  state_ = State::kOpen;
  return true;
}

// What an event means for the handler, and what is no longer wanted. Level-triggered events that nobody can take must
// not come again, or the loop would spin.
Ready UvSocket::judge(uint32_t events) {
  Ready ready;
  if (state_ == State::kConnecting) {
    ready.connected = finish_connect(events);
    ready.failed = state_ == State::kFailed;
    if (!ready.connected) {
      return ready;
    }
  }
  const bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  ready.writable = write_on_ && (events & EPOLLOUT) != 0;
  if (reading()) {
    // An error is found by read(), behind the bytes that came before it.
    ready.readable = ended || (events & EPOLLIN) != 0;
    return ready;
  }
  if (!ended) {
    return ready;
  }
  if (const int error = (events & EPOLLERR) != 0 ? pending_error(fd_) : 0; error != 0) {
    (void)fail(error);
    ready.failed = true;
    ready.writable = false;
    return ready;
  }
  ready.peer_closed = !eof_ && !std::exchange(peer_closed_told_, true);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    stop_events();  // these cannot be masked; want_read(true) and want_write(true) put the socket back
  }
  return ready;
}

void UvSocket::on_events(uint32_t events) {
  if (events_ == 0) {
    return;  // fetched before the socket was taken out
  }
  if (state_ == State::kFailed || handler_ == nullptr) {
    stop_events();  // until there is a handler
    return;
  }
  const Ready ready = judge(events);
  const uint32_t unwanted = events & events_ & ~wanted_events();
  // Reading is often off for less than a turn (until an upstream is connected, say): bytes that come then are told of
  // twice, which is cheaper than two calls.
  if (unwanted == EPOLLIN && !eof_ && !left_unread_ && !ready.connected) {
    left_unread_ = true;
  } else if (events_ != 0 && (ready.connected || unwanted != 0)) {
    sync_events();
  }
  if (ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed) {
    handler_->on_ready(ready);
  }
}

}  // namespace sluice::net
