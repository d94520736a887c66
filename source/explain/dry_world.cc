#include "explain/dry_world.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace sluice::explain {

using net::IoResult;
using net::IoStatus;

namespace {

constexpr size_t kMaxHead = 1024 * 1024;

bool asks_upgrade(std::string_view head) {
  const std::string lower = to_lower(head);
  return lower.find("\r\nupgrade: ") != std::string::npos;
}

std::string_view answer_to(std::string_view head) {
  if (asks_upgrade(head))
    return "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
  if (head.starts_with("CONNECT ")) return "HTTP/1.1 200 OK\r\n\r\n";
  return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
}

}  // namespace

// ---- DryLoop

DryLoop::~DryLoop() {
  at_turn_end(nullptr);
  finish_turn();
}

WallTime DryLoop::wall_now() const {
  constexpr int64_t kNoon = 1'767'268'800'000'000;  // 2026-01-01 12:00: what is explained does not depend on the day
  return {kNoon + now().ns / 1000};
}

bool DryLoop::turn() {
  bool busy = std::exchange(wanted_, false);
  const std::vector<DryTransport*> open = open_;
  for (DryTransport* transport : open) {
    if (std::find(open_.begin(), open_.end(), transport) != open_.end()) busy |= transport->dispatch();
  }
  busy |= wheel_.run_due() > 0;
  std::vector<Function<void()>> batch;
  batch.swap(posted_);
  for (auto& work : batch) work();
  busy |= !batch.empty();
  finish_turn();
  return busy;
}

void DryLoop::run_for(Duration limit) {
  const MonotonicTime end = now() + limit;
  while (true) {
    if (turn()) continue;
    const MonotonicTime next = wheel_.next_wakeup();
    if (next == event::TimerWheel::kNever || end < next) return;
    wheel_.set_now(std::max(next, now()));
  }
}

// ---- DryTransport

DryTransport::DryTransport(DryLoop& loop, net::Address local, net::Address remote)
    : loop_(loop), local_(std::move(local)), remote_(std::move(remote)) {
  loop_.open_.push_back(this);
}

net::Ready DryTransport::judge() const {
  net::Ready ready;
  if (closed_ || handler_ == nullptr) return ready;
  ready.connected = !connected_told_;
  ready.readable = read_on_ && !incoming_.empty();
  ready.writable = write_on_;
  return ready;
}

bool DryTransport::dispatch() {
  const net::Ready ready = judge();
  if (!ready.connected && !ready.readable && !ready.writable) return false;
  connected_told_ = true;
  handler_->on_ready(ready);
  return true;
}

IoResult DryTransport::read(net::ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (closed_) return {IoStatus::kFailed};
  const std::span<char> room = lease.room();
  const size_t bytes = std::min({max, room.size(), incoming_.size()});
  if (bytes == 0) return {IoStatus::kAgain};
  std::memcpy(room.data(), incoming_.data(), bytes);
  lease.use(bytes);
  into.append_borrowed({room.data(), bytes});
  incoming_.erase(0, bytes);
  return {IoStatus::kOk, bytes};
}

IoResult DryTransport::write(buffer::Buffer& from) {
  if (closed_) return {IoStatus::kFailed};
  if (!connected_told_) return {IoStatus::kAgain};
  const size_t bytes = from.size();
  std::string text(bytes, '\0');
  from.copy_out(text.data(), bytes);
  from.drain(bytes);
  written_ += text;
  if (on_written_) on_written_(written_);
  return {IoStatus::kOk, bytes};
}

void DryTransport::close(net::CloseHow) {
  if (std::exchange(closed_, true)) return;
  handler_ = nullptr;
  std::erase(loop_.open_, this);
}

// ---- DryNetwork

std::unique_ptr<net::Transport> DryNetwork::connect(const net::Address& address, const net::ConnectOptions& options) {
  net::Address local = options.source.kind() != net::AddressKind::kNone ? options.source : address.with_port(40000);
  auto out = std::make_unique<DryTransport>(loop_, std::move(local), address);
  out->connecting();
  // One request for each connection: nothing is asked twice.
  out->on_written([this, transport = out.get(), answered = false](std::string_view written) mutable {
    const size_t end = written.find("\r\n\r\n");
    if (answered || end == std::string_view::npos || end > kMaxHead) return;
    answered = true;
    sent_.push_back({transport->remote(), std::string(written.substr(0, end))});
    transport->receive(answer_to(written.substr(0, end + 2)));
  });
  return out;
}

// ---- DryWorld

DryWorld::DryWorld() {
  loop.at_turn_end([this] { flushes.flush_turn(); });
}

}  // namespace sluice::explain
