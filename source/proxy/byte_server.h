// ByteServer and ByteConnection: what the last filters of a chain that serve plain bytes (tcp_proxy, echo,
// direct_response) have in common.
#pragma once

#include <cstddef>
#include <memory>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "net/outbox.h"
#include "net/transport.h"
#include "proxy/accepted.h"
#include "proxy/chain_server.h"

namespace sluice::proxy {

class ByteConnection;

// The connections of one chain on one worker. Owned by its Listener. Thread: worker.
class ByteServer : public ChainServer {
 public:
  ByteServer(const ProxyLocal& proxy, const ListenerFacts& listener) : proxy_(proxy), listener_(listener) {}
  ~ByteServer() override { ByteServer::close_all(); }

  // Nobody is told that the process ends: such protocols have no word for it.
  void start_drain() override {}
  size_t connections() const override { return count_; }
  void close_all() override;

  const ProxyLocal& proxy() const { return proxy_; }
  const ListenerFacts& listener() const { return listener_; }

 protected:
  void run(ByteConnection* connection);

 private:
  friend class ByteConnection;
  const ProxyLocal proxy_;
  const ListenerFacts listener_;
  IntrusiveList<ByteConnection, ByteServer> connections_;
  size_t count_ = 0;
};

// One client. Each side ends on its own: the connection is closed when the client has ended its side and finish() has
// ended ours. In its server's list; destroys itself through the loop. Thread: worker.
class ByteConnection : public event::Deferred,
                       public IntrusiveNode<ByteServer>,
                       private net::TransportHandler,
                       private net::OutboxOwner {
 public:
  ByteConnection(ByteServer& server, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  ~ByteConnection() override;

  // Ends everything, also what it waits for after close().
  virtual void cut() { close(net::CloseHow::kFin); }

 protected:
  // ---- for the protocol
  virtual void on_start() {}
  // Takes all of `data`: what is not moved on is lost.
  virtual void on_data(buffer::Buffer& data) = 0;
  // The client ended its side.
  virtual void on_end() = 0;
  // Bytes were handed to the kernel; the outbox rose above its limit, or fell to half of it.
  virtual void on_bytes_sent(size_t) {}
  virtual void on_outbox_full(bool full) = 0;
  // The connection is closed (kReset: by the client, or to look so). Fills in what is known for the listener's log.
  // False: it goes on without its client, until leave().
  virtual bool on_closed(net::CloseHow how, format::Facts& facts) = 0;
  // How many bytes may be read now.
  virtual size_t room() const = 0;

  // What is known of the connection, for a log line now.
  void describe(format::Facts& facts) const;
  void send(buffer::Buffer& data);
  void read_on(bool on);
  // Our side ends when everything is sent.
  void finish();
  void close(net::CloseHow how);
  void leave();

  bool closed() const { return closed_; }
  bool client_ended() const { return client_ended_; }
  Accepted& accepted() { return *accepted_; }
  const Accepted& accepted() const { return *accepted_; }
  net::Outbox& outbox() { return outbox_; }
  const net::Outbox& outbox() const { return outbox_; }
  upstream::WorkerLocal& worker() const { return server_.proxy().local; }

 private:
  friend class ByteServer;
  void on_ready(net::Ready ready) final;
  void on_sent(size_t bytes) final;
  void on_send_failed() final;
  void on_full(bool full) final { on_outbox_full(full); }
  void read();
  void lost();
  void check_finished();

  ByteServer& server_;
  std::unique_ptr<net::Transport> transport_;
  AcceptedPtr accepted_;
  net::Outbox outbox_;
  bool client_ended_ = false;
  bool finish_wanted_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace sluice::proxy
