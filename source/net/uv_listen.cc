#include "net/uv_listen.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iterator>

#include "base/log.h"
#include "base/strings.h"
#include "net/balance.h"
#include "net/socket_settings.h"

namespace sluice::net {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(1);

bool is_abstract(const Address& address) { return address.to_string().front() == '@'; }

bool is_wildcard(const Address& address) {
  const std::string_view bytes = address.ip_bytes();
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

}  // namespace

// ---- UvListenSocket

UvListenSocket::UvListenSocket(const Address& address, uint32_t workers)
    : address_(address), seats_(std::make_shared<UvSeats>(workers)) {}

Error UvListenSocket::error(std::string_view doing) const {
  const int number = errno;
  return Error{cat("cannot ", doing, " ", address_.to_string(), ": ", std::strerror(number))};
}

// A bound descriptor that does not listen yet.
Result<int> UvListenSocket::open(const ListenOptions& options, bool reuse_port) const {
  sockaddr_storage name;
  const socklen_t length = address_.to_sockaddr(name);
  const int protocol = options.mptcp ? IPPROTO_MPTCP : 0;
  const int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) {
    return error(options.mptcp ? "make a socket of MPTCP for" : "make a socket for");
  }
  if (address_.is_ip()) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it: one system call less for each
    if (reuse_port) {
      set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
  }
  if (address_.kind() == AddressKind::kIp6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv4_compat ? 0 : 1);
  }
  const char* failed = nullptr;
  if (!prepare(fd, options)) {
    failed = "set a socket option of";
  } else if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), length) != 0) {
    failed = "bind";
  } else if (!set_options(fd, address_.kind(), options.more, SocketOption::When::kBound)) {
    failed = "set a socket option of";
  }
  if (failed == nullptr) {
    return fd;
  }
  const Error told = error(failed);
  ::close(fd);
  return told;
}

// Of connections that come the accepted sockets inherit it.
bool UvListenSocket::prepare(int fd, const ListenOptions& options) const {
  const AddressKind kind = address_.kind();
  if (address_.is_ip() &&
      ((options.freebind && !set_freebind(fd, kind)) || (options.transparent && !set_transparent(fd, kind)) ||
       (options.keepalive && !set_keepalive(fd, *options.keepalive)) ||
       (options.fast_open_queue &&
        !set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, static_cast<int>(*options.fast_open_queue))))) {
    return false;
  }
  return set_options(fd, kind, options.more, SocketOption::When::kPrebind);
}

// SO_REUSEPORT would let two processes of one user share a port without a word, which is nearly always a mistake.
Result<void> UvListenSocket::check_port_is_free(const ListenOptions& options) const {
  const Result<int> probe = open(options, false);
  if (!probe) {
    return Error{probe.error()};
  }
  ::close(*probe);
  return {};
}

// A path that a dead process left behind is removed; that of a living one is not.
Result<void> UvListenSocket::prepare_path() const {
  struct stat info;
  if (is_abstract(address_) || lstat(address_.to_string().c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) {
    return {};  // bind() has the last word
  }
  sockaddr_storage name;
  const socklen_t length = address_.to_sockaddr(name);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return error("make a socket for");
  }
  const bool dead = connect(fd, reinterpret_cast<const sockaddr*>(&name), length) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  if (!dead) {
    errno = EADDRINUSE;
    return error("bind");
  }
  unlink(address_.to_string().c_str());
  return {};
}

Result<void> UvListenSocket::start(const ListenOptions& options, uint32_t workers) {
  const bool each_its_own = options.reuse_port && address_.is_ip() && workers > 1;
  when_listening_ = options.more;
  backlog_ = static_cast<int>(options.backlog == 0 ? INT_MAX : std::min<uint32_t>(options.backlog, INT_MAX));
  for (uint32_t worker = 0; worker < workers; ++worker) {
    if (worker > 0 && !each_its_own) {
      const int copy = fcntl(descriptors_[0], F_DUPFD_CLOEXEC, 0);
      if (copy < 0) {
        return error("duplicate the socket of");
      }
      descriptors_.push_back(copy);
      continue;
    }
    const Result<int> fd = open(options, each_its_own);
    if (!fd) {
      return Error{fd.error()};
    }
    descriptors_.push_back(*fd);
    if (worker == 0 && address_.is_ip() && address_.port() == 0) {
      sockaddr_storage name;
      socklen_t length = sizeof(name);
      getsockname(*fd, reinterpret_cast<sockaddr*>(&name), &length);
      address_ = address_.with_port(Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), length).port());
    }
    if (worker == 0 && address_.kind() == AddressKind::kUnix && !is_abstract(address_) && options.unix_mode != 0 &&
        chmod(address_.to_string().c_str(), options.unix_mode) != 0) {
      return error("set the mode of");
    }
    // A path at which nobody listens looks as if its owner were dead.
    if (!address_.is_ip() && ::listen(*fd, backlog_) != 0) {
      return error("listen on");
    }
  }
  return {};
}

void UvListenSocket::listen(uint32_t worker) const {
  const int fd = descriptor(worker);
  if (fd >= 0 && ::listen(fd, backlog_) != 0) {
    SLUICE_LOG(kError, kListener, error("listen on").text);
  } else if (fd >= 0 && !set_options(fd, address_.kind(), when_listening_, SocketOption::When::kListening)) {
    SLUICE_LOG(kError, kListener, error("set a socket option of").text);
  }
}

Result<std::unique_ptr<ListenSocket>> UvListenSocket::bind(const Address& address, const ListenOptions& options,
                                                           uint32_t workers) {
  std::unique_ptr<UvListenSocket> socket(new UvListenSocket(address, workers));
  if (options.bind_to_port) {
    Result<void> ready;
    if (address.kind() == AddressKind::kUnix) {
      ready = socket->prepare_path();
    } else if (address.port() != 0 && options.reuse_port && workers > 1) {
      ready = socket->check_port_is_free(options);
    }
    if (ready) {
      ready = socket->start(options, workers);
    }
    if (!ready) {
      return Error{ready.error()};
    }
  }
  return std::unique_ptr<ListenSocket>(std::move(socket));
}

UvListenSocket::~UvListenSocket() {
  for (const int fd : descriptors_) {
    ::close(fd);
  }
}

// A program for the kernel: SYN alone (of SYN and ACK) is dropped, everything else passes.
void UvListenSocket::close_queue() {
  sock_filter drop_syn[] = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
                            {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},
                            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02},
                            {BPF_RET | BPF_K, 0, 0, 0},
                            {BPF_RET | BPF_K, 0, 0, UINT32_MAX}};
  const sock_fprog program{std::size(drop_syn), drop_syn};
  for (const int fd : descriptors_) {
    if (address_.is_ip()) {
      setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    }
  }
}

void UvListenSocket::open_queue() {
  const int unused = 0;
  for (const int fd : descriptors_) {
    if (address_.is_ip()) {
      setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
    }
  }
}

int UvListenSocket::descriptor(uint32_t worker) const {
  return descriptors_.empty() ? -1 : descriptors_[worker % descriptors_.size()];
}

// ---- UvAcceptor

class UvAcceptor::Listening final : public event::Deferred, public event::Pollable {
 public:
  Listening(event::UvLoop& loop, UvSocketShared& shared, const UvListenSocket& socket, uint32_t worker,
            const AcceptOptions& options, OnAccept on_accept)
      : shared_(shared),
        fd_(socket.descriptor(worker)),
        worker_(worker),
        options_(options),
        seats_(socket.seats()),
        on_accept_(std::move(on_accept)),
        retry_(loop.timers(), [this] { listen_again(); }) {
    if (socket.address().is_ip() && !is_wildcard(socket.address())) {
      local_ = std::make_shared<const Address>(socket.address());
    } else if (socket.address().kind() == AddressKind::kUnix) {
      local_ = std::make_shared<const Address>(socket.address());
    }
    seats_->take(worker_, loop, *this);
  }

  void want(bool on) {
    if (on) {
      listen_again();
    } else {
      retry_.cancel();
      leave_set();
    }
  }

  // The others may have left already: what waits is served here.
  void take_waiting() {
    ending_ = true;
    while (in_set_ && accept_one()) {
    }
  }

  // Nothing shared is touched after this.
  void end() {
    seats_->leave(worker_, *this);
    want(false);
    shared_.set.forget(*this);
  }

  // With a balance it is counted here.
  void serve(int fd, const Address& remote) {
    std::unique_ptr<UvSocket> socket = UvSocket::accepted(shared_, fd, remote, local_);
    if (socket == nullptr) {
      if (options_.balance != nullptr) {
        options_.balance->left(worker_);
      }
      pause();
      return;
    }
    pause_ = kFirstPause;
    on_accept_(std::move(socket));
  }

  // Another worker accepted it and counted it here, perhaps in the name of a listener that this one has replaced.
  void serve_passed(int fd, const Address& remote, Balance& balance) {
    if (options_.balance.get() != &balance) {
      balance.left(worker_);
      if (options_.balance != nullptr) {
        options_.balance->came(worker_);
      }
    }
    serve(fd, remote);
  }

  void on_events(uint32_t) override {
    for (uint32_t i = 0; i < options_.per_event && in_set_; ++i) {
      if (!accept_one()) {
        return;
      }
    }
  }

 private:
  void listen_again() {
    if (fd_ >= 0 && !in_set_) {
      // Exclusive: of several workers on one shared socket not all wake up for each connection.
      in_set_ = shared_.set.add(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this);
      if (!in_set_) {
        pause();
      }
    }
  }
  void leave_set() {
    if (in_set_) {
      in_set_ = false;
      shared_.set.remove(fd_);
    }
  }
  void pause() {
    SLUICE_LOG(kWarning, kListener, "accepting pauses for ", to_ms(pause_), " ms: ", std::strerror(errno));
    leave_set();
    retry_.arm(pause_);
    pause_ = std::min(pause_ * 2, kLongestPause);
  }

  // False when nothing waits.
  bool accept_one() {
    sockaddr_storage name;
    socklen_t length = sizeof(name);
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&name), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) {
        return false;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause();
      }
      return true;  // the connection ended before it was accepted: go on with the next
    }
    const Address remote = Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), length);
    if (options_.balance == nullptr) {
      serve(fd, remote);
      return true;
    }
    const uint32_t worker = ending_ ? worker_ : options_.balance->choose(worker_);
    if (worker != worker_ && UvSeats::pass(seats_, worker, fd, remote, options_.balance)) {
      return true;
    }
    if (worker != worker_) {
      options_.balance->left(worker);
    }
    if (worker != worker_ || ending_) {
      options_.balance->came(worker_);
    }
    serve(fd, remote);
    return true;
  }

  UvSocketShared& shared_;
  const int fd_;
  const uint32_t worker_;
  const AcceptOptions options_;
  const std::shared_ptr<UvSeats> seats_;
  OnAccept on_accept_;
  event::Timer retry_;
  Duration pause_ = kFirstPause;
  std::shared_ptr<const Address> local_;  // of all connections; null when only each of them knows
  bool in_set_ = false;
  bool ending_ = false;
};

UvAcceptor::UvAcceptor(event::UvLoop& loop, UvSocketShared& shared, const UvListenSocket& socket, uint32_t worker,
                       const AcceptOptions& options, OnAccept on_accept)
    : loop_(loop),
      listening_(std::make_unique<Listening>(loop, shared, socket, worker, options, std::move(on_accept))) {
  socket.listen(worker);
  listening_->want(true);
}

UvAcceptor::~UvAcceptor() {
  listening_->end();
  loop_.destroy_later(std::move(listening_));
}

void UvAcceptor::want_accept(bool on) { listening_->want(on); }
void UvAcceptor::take_waiting() { listening_->take_waiting(); }

// ---- UvSeats

void UvSeats::take(uint32_t worker, event::UvLoop& loop, UvAcceptor::Listening& listening) {
  Seat& seat = seats_[worker % seats_.size()];
  seat.listening = &listening;
  seat.loop.store(&loop, std::memory_order_release);
}

void UvSeats::leave(uint32_t worker, const UvAcceptor::Listening& listening) {
  Seat& seat = seats_[worker % seats_.size()];
  if (seat.listening == &listening) {
    seat.listening = nullptr;
  }
}

bool UvSeats::pass(const std::shared_ptr<UvSeats>& seats, uint32_t worker, int fd, const Address& remote,
                   const std::shared_ptr<Balance>& balance) {
  event::UvLoop* loop = seats->seats_[worker].loop.load(std::memory_order_acquire);
  if (loop == nullptr) {
    return false;
  }
  loop->post([seats, worker, fd, remote, balance] {
    if (UvAcceptor::Listening* listening = seats->seats_[worker].listening) {
      listening->serve_passed(fd, remote, *balance);
    } else {
      balance->left(worker);
      ::close(fd);
    }
  });
  return true;
}

}  // namespace sluice::net
