// PipeEnd: a transport in memory that can be narrow, and cut at a byte, for tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "net/transport.h"

namespace sluice::net::tls {

// One end of a pipe; what is written stands in the other end's inbox. Thread: the test's.
class PipeEnd final : public Transport {
 public:
  ~PipeEnd() override {
    if (peer != nullptr) {
      peer->peer = nullptr;
    }
  }
  void set_handler(TransportHandler* handler) override { handler_ = handler; }
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override {
    if (inbox.empty()) {
      return {ended ? IoStatus::kEof : IoStatus::kAgain};
    }
    const size_t size = std::min({max, inbox.size(), lease.room().size(), chunk});
    const std::span<char> room = lease.room();
    inbox.copy(room.data(), size);
    inbox.erase(0, size);
    lease.use(size);
    into.append_borrowed({room.data(), size});
    return {IoStatus::kOk, size};
  }
  IoResult write(buffer::Buffer& from) override {
    if (closed_ || peer == nullptr) {
      return {IoStatus::kFailed};
    }
    size_t done = 0;
    while (!from.empty() && peer->inbox.size() < capacity) {
      const size_t size = std::min(from.front().size(), capacity - peer->inbox.size());
      // Beyond the cut nothing arrives.
      peer->inbox += from.front().substr(0, std::min(size, cut - std::min(cut, sent)));
      sent += size;
      done += size;
      from.drain(size);
    }
    ++writes;
    return {done > 0 || from.empty() ? IoStatus::kOk : IoStatus::kAgain, done};
  }
  void want_read(bool on) override { read_on = on; }
  void want_write(bool on) override { write_on = on; }
  void shutdown_write() override { peer->ended = true; }
  void close(CloseHow) override {
    if (!closed_) {
      closed_ = true;
      handler_ = nullptr;
      if (peer != nullptr) {
        peer->ended = true;
      }
    }
  }
  bool closed() const override { return closed_; }
  const Address& local() const override { return address_; }
  const Address& remote() const override { return address_; }
  std::string_view failure() const override { return {}; }

  // True when something happened.
  bool turn() {
    if (handler_ == nullptr || closed_ || peer == nullptr) {
      return false;
    }
    Ready ready;
    ready.writable = write_on && peer->inbox.size() < capacity;
    ready.readable = read_on && (!inbox.empty() || (ended && !std::exchange(end_told_, true)));
    if (!ready.writable && !ready.readable) {
      return false;
    }
    handler_->on_ready(ready);
    return true;
  }
  void tell_connected() { handler_->on_ready({.connected = true}); }

  PipeEnd* peer = nullptr;
  std::string inbox;
  bool ended = false, read_on = true, write_on = false;
  size_t chunk = SIZE_MAX, capacity = SIZE_MAX, cut = SIZE_MAX, sent = 0;
  int writes = 0;

 private:
  TransportHandler* handler_ = nullptr;
  bool closed_ = false, end_told_ = false;
  Address address_ = *Address::from_ip("127.0.0.1", 1);
};

}  // namespace sluice::net::tls
