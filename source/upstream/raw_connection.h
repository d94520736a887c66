// RawConnection: a connection to a host of a cluster that carries plain bytes for one user, then ends. It counts like
// the connection of a pool.
//
//   connecting --connected--> open --both sides ended, reset, close()--> closed
//       +--failed, timeout, close()------------------------------------> closed
#pragma once

#include <memory>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "net/outbox.h"
#include "net/transport.h"
#include "upstream/byte_stream.h"
#include "upstream/host.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

class Cluster;

// In its cluster's list, which cuts it when the cluster goes. Thread: worker.
class RawConnection final : public event::Deferred,
                            public IntrusiveNode<RawConnection>,
                            public ByteStream,
                            private net::TransportHandler,
                            private net::OutboxOwner {
 public:
  // Whose bytes it carries, and where they were sent to; looked at during connect() only.
  struct Client {
    const net::Address& remote;
    const net::Address& wanted;
  };
  // Null when too many wait already: counted, and nobody is told.
  static RawConnection* connect(Cluster& cluster, Host& host, WorkerLocal& local, const Client& client,
                                ByteStreamUser& user);
  ~RawConnection() override;

  void send(buffer::Buffer& data) override;
  void finish() override;
  void close(net::CloseHow how) override;
  void want_read(bool on) override;
  bool sent_all() const override { return outbox_.empty(); }
  size_t room() const override { return outbox_.room(); }
  const net::Address& local_address() const override { return transport_->local(); }
  const net::Address& remote_address() const override { return transport_->remote(); }
  uint64_t connection_id() const override { return id_; }
  const net::TlsFacts* tls() const override { return transport_->tls(); }
  const Host& host() const { return *host_; }
  // The cluster goes: its user hears that it is lost.
  void cut();

 private:
  enum class State : uint8_t { kConnecting, kOpen, kClosed };
  enum class ClosedBy : uint8_t { kUs, kPeer };

  RawConnection(Cluster& cluster, Host& host, WorkerLocal& local, const Client& client, ByteStreamUser& user);
  void on_ready(net::Ready ready) override;
  void on_sent(size_t bytes) override;
  void on_send_failed() override { lost(); }
  void on_full(bool full) override;
  void on_connected();
  void fail(ResetReason reason, std::string_view details);
  void read();
  void lost();
  void check_finished();
  void end(net::CloseHow how, ClosedBy by);

  Cluster& cluster_;
  const std::shared_ptr<Host> host_;
  WorkerLocal& local_;
  ByteStreamUser& user_;
  const uint64_t id_;
  const MonotonicTime started_;
  State state_ = State::kConnecting;
  bool secured_ = false;  // a handshake is a part of connecting
  bool peer_ended_ = false;
  bool ended_last_ = false;  // the peer, when we had ended already
  bool finish_wanted_ = false;
  bool finished_ = false;
  std::unique_ptr<net::Transport> transport_;
  net::Outbox outbox_;
  event::Timer timer_;  // connect_timeout
};

}  // namespace sluice::upstream
