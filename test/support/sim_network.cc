#include "test/support/sim_network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/strings.h"
#include "net/balance.h"

namespace sluice::test {

using net::IoResult;
using net::IoStatus;

namespace {

constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
constexpr char kReset[] = "Connection reset by peer";

}  // namespace

// ---- SimEnd

SimEnd::SimEnd(SimNetwork& network, std::shared_ptr<SimWire> wire, int side, const net::Address& local,
               const net::Address& remote)
    : network_(&network), wire_(std::move(wire)), side_(side), local_(local), remote_(remote) {
  connected_told_ = mine().connected;  // an accepted end is connected from the start
  mine().end = this;
  network.open_.push_back(*this);
}

void SimEnd::news() {
  const net::Ready ready = judge();
  if (ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed) {
    network_->loop_.ready(*this);
  }
}

void SimEnd::fail_connect(const char* why, net::ConnectFault fault) {
  failure_ = why;
  fault_ = fault;
  connect_failed_ = true;
  news();
}

// What the handler would be told now.
net::Ready SimEnd::judge() {
  net::Ready ready;
  SimWire::Side& side = mine();
  if (closed_ || handler_ == nullptr || failed_told_) {
    return ready;
  }
  if (connect_failed_ || (side.reset && !side.connected)) {
    ready.failed = true;
    ready.fault = fault_;
    return ready;
  }
  if (!side.connected) {
    return ready;
  }
  ready.connected = !connected_told_;
  ready.writable = write_on_ && (side.unread < side.capacity || side.reset);
  if (reading()) {
    ready.readable = side.available() > 0 || side.fin || side.reset;
  } else if (side.reset) {
    ready.failed = true;
    ready.writable = false;
  } else {
    ready.peer_closed = side.fin && !eof_ && !peer_closed_told_;
  }
  return ready;
}

void SimEnd::dispatch() {
  const net::Ready ready = judge();
  if (!(ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed)) {
    return;
  }
  connected_told_ |= ready.connected;
  failed_told_ |= ready.failed;
  peer_closed_told_ |= ready.peer_closed;
  if (ready.failed && *failure_ == '\0') {
    failure_ = kReset;
  }
  const uint64_t what = (ready.readable ? 1u : 0u) | (ready.writable ? 2u : 0u) | (ready.connected ? 4u : 0u) |
                        (ready.failed ? 8u : 0u) | (ready.peer_closed ? 16u : 0u);
  network_->fabric_.world().trace("ready", wire_->id() * 2 + static_cast<uint64_t>(side_), what);
  bool gone = false;
  gone_ = &gone;
  handler_->on_ready(ready);
  if (!gone) {
    gone_ = nullptr;
    news();  // level-triggered: what was not taken is told again in the next turn
  }
}

void SimEnd::set_handler(net::TransportHandler* handler) {
  handler_ = handler;
  news();
}

IoResult SimEnd::read(net::ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (closed_ || connect_failed_) {
    return {IoStatus::kFailed};
  }
  SimWire::Side& side = mine();
  const std::span<char> room = lease.room();
  size_t n = std::min({max, room.size(), side.available()});
  if (n == 0) {
    if (max == 0 || room.empty()) {
      return {IoStatus::kAgain};
    }
    if (side.reset && !side.fin) {  // behind a FIN it is not seen by who reads
      failure_ = kReset;
      return {IoStatus::kFailed};
    }
    eof_ = side.fin;
    return {side.fin ? IoStatus::kEof : IoStatus::kAgain};
  }
  SimRandom& random = network_->fabric_.world().random();
  if (random.chance(network_->fabric_.faults().short_read)) {
    n = random.between(1, n);
  }
  if (room.size() == net::ReadBuffer::kBytes) {  // a new dispatch: the last one's bytes are no longer anybody's
    std::memset(room.data(), 0xDD, std::exchange(network_->read_buffer_used_, 0));
  }
  std::memcpy(room.data(), side.arrived.data() + side.read_from, n);
  lease.use(n);
  network_->read_buffer_used_ += n;
  network_->moved_[side_].read += n;
  into.append_borrowed({room.data(), n});
  side.read_from += n;
  if (side.available() == 0) {
    side.arrived.clear();
    side.read_from = 0;
  }
  wire_->read(side_, n);
  return {IoStatus::kOk, n};
}

IoResult SimEnd::write(buffer::Buffer& from) {
  SimWire::Side& side = mine();
  if (closed_ || connect_failed_ || side.reset || side.ended) {
    failure_ = *failure_ == '\0' && side.reset ? kReset : failure_;
    return {IoStatus::kFailed};
  }
  if (from.empty()) {
    return {IoStatus::kOk};
  }
  const size_t room = side.capacity - std::min(side.capacity, side.unread);
  if (!side.connected || room == 0) {
    return {IoStatus::kAgain};
  }
  SimRandom& random = network_->fabric_.world().random();
  const SimFaults& faults = network_->fabric_.faults();
  size_t n = std::min(from.size(), room);
  if (random.chance(faults.short_write)) {
    n = random.between(1, n);
  }
  std::string bytes(n, '\0');
  from.copy_out(bytes.data(), n);
  from.drain(n);
  written_ += n;
  network_->moved_[side_].written += n;
  wire_->send(side_, SimWire::Kind::kData, std::move(bytes));
  if (random.chance(faults.reset)) {
    wire_->reset(0);
    wire_->reset(1);
  }
  return {IoStatus::kOk, n};
}

void SimEnd::want_read(bool on) {
  read_on_ = on;
  news();
}

void SimEnd::want_write(bool on) {
  write_on_ = on;
  news();
}

void SimEnd::shutdown_write() {
  SimWire::Side& side = mine();
  if (!closed_ && side.connected && !side.reset && !std::exchange(side.ended, true)) {
    wire_->send(side_, SimWire::Kind::kFin);
  }
}

void SimEnd::close(net::CloseHow how) {
  if (std::exchange(closed_, true)) {
    return;
  }
  if (gone_ != nullptr) {
    *gone_ = true;
  }
  handler_ = nullptr;
  unlink();
  network_->loop_.forget(*this);
  if (how == net::CloseHow::kReset && mine().connected) {
    wire_->reset(side_);
  }
  wire_->close(side_);
}

// ---- SimListenSocket

SimListenSocket::SimListenSocket(SimFabric& fabric, std::string host, const net::Address& address,
                                 const net::ListenOptions& options, uint32_t workers)
    : fabric_(fabric),
      host_(std::move(host)),
      address_(address),
      bound_(options.bind_to_port),
      backlog_(options.backlog == 0 ? 4096 : options.backlog),
      listening_(!address.is_ip()),
      queues_(options.reuse_port && address.is_ip() ? workers : 1),
      acceptors_(workers, nullptr) {
  if (bound_) {
    fabric_.listeners_[{host_, address_.to_string()}] = this;
  }
}

SimListenSocket::~SimListenSocket() {
  if (bound_) {
    fabric_.listeners_.erase({host_, address_.to_string()});
  }
  for (SimAcceptor* acceptor : acceptors_) {
    if (acceptor != nullptr) {
      acceptor->socket_ = nullptr;
    }
  }
  for (auto& queue : queues_) {
    for (Pending& pending : queue) {
      pending.wire->reset(1);
      pending.wire->close(1);
    }
  }
}

bool SimListenSocket::arrive(Pending pending) {
  auto& to = queues_[fabric_.world().random().below(queues_.size())];
  if (to.size() >= backlog_ || queue_closed_) {
    return false;
  }
  to.push_back(std::move(pending));
  for (SimAcceptor* acceptor : acceptors_) {
    if (acceptor != nullptr) {
      acceptor->news();
    }
  }
  return true;
}

// ---- SimAcceptor

SimAcceptor::SimAcceptor(SimNetwork& network, SimListenSocket& socket, uint32_t worker,
                         const net::AcceptOptions& options, net::OnAccept on_accept)
    : network_(network),
      socket_(&socket),
      worker_(worker),
      options_(options),
      on_accept_(std::make_shared<net::OnAccept>(std::move(on_accept))),
      resume_(network.loop_.timers(), [this] {
        paused_ = false;
        news();
      }) {
  socket.acceptors_[worker % socket.acceptors_.size()] = this;
  socket.listening_ = true;
  news();
}

SimAcceptor::~SimAcceptor() {
  if (gone_ != nullptr) {
    *gone_ = true;
  }
  network_.loop_.forget(*this);
  if (socket_ != nullptr) {
    std::replace(socket_->acceptors_.begin(), socket_->acceptors_.end(), this, static_cast<SimAcceptor*>(nullptr));
  }
}

void SimAcceptor::news() {
  if (something_waits()) {
    network_.loop_.ready(*this);
  }
}

void SimAcceptor::want_accept(bool on) {
  on_ = on;
  news();
}

void SimAcceptor::take_waiting() {
  while (something_waits() && accept_one()) {
  }
}

// False when it is gone.
bool SimAcceptor::accept_one() {
  bool gone = false;
  gone_ = &gone;
  const std::shared_ptr<net::OnAccept> on_accept = on_accept_;
  auto& queue = socket_->queue(worker_);
  SimListenSocket::Pending pending = std::move(queue.front());
  queue.pop_front();
  network_.fabric_.world().trace("accept", pending.wire->id(), worker_);
  if (options_.balance != nullptr) {
    const uint32_t worker = options_.balance->choose(worker_);
    SimAcceptor* other = socket_->acceptors_[worker];
    if (other == nullptr) {
      options_.balance->left(worker);
      options_.balance->came(worker_);
    } else if (other != this) {
      const std::shared_ptr<net::OnAccept> theirs = other->on_accept_;
      if (other->options_.balance != options_.balance) {  // of a listener that replaces this one
        options_.balance->left(worker);
        other->options_.balance->came(worker);
      }
      (*theirs)(std::make_unique<SimEnd>(other->network_, std::move(pending.wire), 1, pending.local, pending.remote));
      gone_ = nullptr;
      return true;
    }
  }
  (*on_accept)(std::make_unique<SimEnd>(network_, std::move(pending.wire), 1, pending.local, pending.remote));
  if (!gone) {
    gone_ = nullptr;
  }
  return !gone;
}

void SimAcceptor::dispatch() {
  SimWorld& world = network_.fabric_.world();
  for (uint64_t i = world.random().between(1, 32); i > 0 && something_waits(); --i) {
    if (world.random().chance(network_.fabric_.faults().accept_failure)) {
      world.trace("accept failed", worker_);
      paused_ = true;
      resume_.arm(kAcceptPause);
      break;
    }
    if (!accept_one()) {
      return;
    }
  }
  news();
}

// ---- SimNetwork

SimNetwork::~SimNetwork() {
  while (SimEnd* end = open_.front()) {
    end->close(net::CloseHow::kFin);
  }
}

Result<std::unique_ptr<net::ListenSocket>> SimNetwork::bind(const net::Address& address,
                                                            const net::ListenOptions& options, uint32_t workers) {
  const auto error = [&](const char* why) { return Error{cat("cannot bind ", address.to_string(), ": ", why)}; };
  net::Address bound = address;
  if (options.bind_to_port) {
    const std::string ip = address.is_ip() ? address.ip_to_string() : "";
    if (address.is_ip() && ip != host_ && ip != "0.0.0.0" && ip != "::" && !address.is_loopback()) {
      return error("Cannot assign requested address");
    }
    if (address.is_ip() && address.port() == 0) {
      bound = address.with_port(fabric_.next_port(host_));
    }
    if (fabric_.listeners_.contains({host_, bound.to_string()})) {
      return error("Address already in use");
    }
  }
  return std::unique_ptr<net::ListenSocket>(std::make_unique<SimListenSocket>(fabric_, host_, bound, options, workers));
}

std::unique_ptr<net::Acceptor> SimNetwork::accept(net::ListenSocket& socket, uint32_t worker,
                                                  const net::AcceptOptions& options, net::OnAccept on_accept) {
  return std::make_unique<SimAcceptor>(*this, static_cast<SimListenSocket&>(socket), worker, options,
                                       std::move(on_accept));
}

std::unique_ptr<net::Transport> SimNetwork::connect(const net::Address& address, const net::ConnectOptions& options) {
  SimWorld& world = fabric_.world();
  auto wire = std::make_shared<SimWire>(world, fabric_.faults(), fabric_.next_wire_++);
  net::Address local;
  const net::Address& from = options.source_for(address);
  if (address.is_ip()) {
    const std::string ip = from.is_ip() ? from.ip_to_string() : address.is_loopback() ? address.ip_to_string() : host_;
    local = *net::Address::from_ip(ip, fabric_.next_port(host_));
  }
  auto end = std::make_unique<SimEnd>(*this, wire, 0, local, address);
  world.trace("connect", wire->id());
  const std::string source = from.is_ip() ? from.ip_to_string() : host_;
  if (fabric_.reach(address) == SimReach::kUnreachable) {
    end->fail_connect("Network is unreachable");
  } else if (source != host_ && !from.is_loopback() && !options.freebind) {
    end->fail_connect("Cannot assign requested address", net::ConnectFault::kBind);
  } else if (!address.is_ip() && fabric_.listener(host_, address) == nullptr) {
    end->fail_connect("No such file or directory", net::ConnectFault::kAtOnce);
  } else {
    fabric_.syn(wire, host_, address, local, 0);
  }
  return end;
}

}  // namespace sluice::test
