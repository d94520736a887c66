// CheckPipe: the connection of a health check: it belongs to one host's checks alone, and is kept between them.
#pragma once

#include <cstdint>
#include <memory>

#include "buffer/buffer.h"
#include "net/network.h"
#include "net/transport.h"
#include "net/transport_socket.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

// Told what happens on a pipe; may close it inside, but for on_pipe_data(). Thread: main.
class CheckPipeUser {
 public:
  virtual void on_pipe_open() = 0;
  // It could not be opened, or broke off. It is closed.
  virtual void on_pipe_failed() = 0;
  // Takes what it can from the front; what is left is kept.
  virtual void on_pipe_data(buffer::Buffer& in) = 0;
  // Behind on_pipe_data(), when nothing more is there.
  enum class Peer : uint8_t { kStays, kEnded };
  virtual void on_pipe_read(Peer peer) = 0;

 protected:
  ~CheckPipeUser() = default;
};

// Part of its check. Thread: main.
class CheckPipe final : private net::TransportHandler {
 public:
  CheckPipe(WorkerLocal& local, CheckPipeUser& user);
  ~CheckPipe() { close(); }

  // `socket`: what wraps it; null: nothing.
  void open(const net::Address& address, const net::ConnectOptions& options, net::TransportSocket* socket,
            const net::TransportWishes& wishes);
  // Also while it is being opened.
  bool exists() const { return transport_ != nullptr; }
  void close();
  // While it exists.
  const net::Transport& transport() const { return *transport_; }

  // What came and nobody took.
  const buffer::Buffer& in() const { return in_; }
  // Append here, then write().
  buffer::Buffer& out() { return out_; }
  void write();

 private:
  // net::TransportHandler
  void on_ready(net::Ready ready) override;

  void read();
  void fail();

  WorkerLocal& local_;
  CheckPipeUser& user_;
  std::unique_ptr<net::Transport> transport_;  // null: closed
  buffer::Buffer in_, out_;
  bool open_ = false;
};

}  // namespace sluice::upstream
