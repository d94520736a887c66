// SimNetwork: the Network of the simulation, one for each SimLoop; and its Transport, ListenSocket and Acceptor.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "net/network.h"
#include "test/support/sim_fabric.h"

namespace sluice::test {

// One end of a SimWire. Behaves like UvSocket, short reads and all, but bytes that were read are overwritten in the
// read buffer as soon as the next dispatch reads, so that borrowing too long shows. Thread: the simulation's.
class SimEnd final : public net::Transport, public SimPollable, public IntrusiveNode<> {
 public:
  SimEnd(class SimNetwork& network, std::shared_ptr<SimWire> wire, int side, const net::Address& local,
         const net::Address& remote);
  ~SimEnd() override { close(net::CloseHow::kFin); }

  void set_handler(net::TransportHandler* handler) override;
  net::IoResult read(net::ReadLease& lease, size_t max, buffer::Buffer& into) override;
  net::IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override;
  void shutdown_write() override;
  void close(net::CloseHow how) override;
  bool closed() const override { return closed_; }
  const net::Address& local() const override { return local_; }
  const net::Address& remote() const override { return remote_; }
  std::string_view failure() const override { return failure_; }
  uint64_t written() const override { return written_; }
  bool nothing_arrived_since(uint64_t mark) const override { return wire_->side(1 - side_).taken <= mark; }

  void dispatch() override;
  // For the fabric: something changed at our side; or the connect failed.
  void news();
  void fail_connect(const char* why, net::ConnectFault fault = net::ConnectFault::kLater);

 private:
  net::Ready judge();
  SimWire::Side& mine() { return wire_->side(side_); }
  bool reading() const { return read_on_ && !eof_; }

  SimNetwork* network_;
  std::shared_ptr<SimWire> wire_;
  const int side_;
  net::TransportHandler* handler_ = nullptr;
  const char* failure_ = "";
  net::ConnectFault fault_ = net::ConnectFault::kLater;
  uint64_t written_ = 0;
  bool* gone_ = nullptr;  // set while the handler runs: where to say that we were destroyed or closed
  bool read_on_ = true;
  bool write_on_ = false;
  bool eof_ = false;
  bool peer_closed_told_ = false;
  bool connected_told_ = false;
  bool failed_told_ = false;
  bool connect_failed_ = false;
  bool closed_ = false;
  net::Address local_;
  net::Address remote_;
};

// Bound on one host, with a queue for each worker (reuse_port) or one for all. Clients get in from the first acceptor
// on (at a unix path: from the start); before they are refused. Thread: the simulation's.
class SimListenSocket final : public net::ListenSocket {
 public:
  struct Pending {
    std::shared_ptr<SimWire> wire;
    net::Address local;
    net::Address remote;
  };

  SimListenSocket(SimFabric& fabric, std::string host, const net::Address& address, const net::ListenOptions& options,
                  uint32_t workers);
  ~SimListenSocket() override;
  const net::Address& address() const override { return address_; }
  void close_queue() override { queue_closed_ = true; }
  void open_queue() override { queue_closed_ = false; }

 private:
  friend class SimAcceptor;
  friend class SimFabric;

  // False when the queue is full.
  bool arrive(Pending pending);
  std::deque<Pending>& queue(uint32_t worker) { return queues_[worker % queues_.size()]; }

  SimFabric& fabric_;
  const std::string host_;
  const net::Address address_;
  const bool bound_;
  const size_t backlog_;
  bool queue_closed_ = false;
  bool listening_;
  std::vector<std::deque<Pending>> queues_;
  std::vector<class SimAcceptor*> acceptors_;
};

// Thread: the simulation's.
class SimAcceptor final : public net::Acceptor, public SimPollable {
 public:
  SimAcceptor(SimNetwork& network, SimListenSocket& socket, uint32_t worker, const net::AcceptOptions& options,
              net::OnAccept on_accept);
  ~SimAcceptor() override;
  void want_accept(bool on) override;
  void take_waiting() override;
  void dispatch() override;

 private:
  friend class SimListenSocket;
  void news();
  bool accept_one();
  bool something_waits() { return socket_ != nullptr && on_ && !paused_ && !socket_->queue(worker_).empty(); }

  SimNetwork& network_;
  SimListenSocket* socket_;  // null when it ended
  const uint32_t worker_;
  const net::AcceptOptions options_;
  std::shared_ptr<net::OnAccept> on_accept_;  // shared: it may destroy us while it runs
  event::Timer resume_;
  bool on_ = true;
  bool paused_ = false;
  bool* gone_ = nullptr;
};

// The network of one loop on a host (its IP; several loops may be on one host). Destroyed before its loop. Thread: the
// simulation's.
class SimNetwork final : public net::Network {
 public:
  explicit SimNetwork(SimLoop& loop, SimFabric& fabric, const std::string& host = "10.0.0.1")
      : loop_(loop), fabric_(fabric), host_(host) {}
  ~SimNetwork() override;

  Result<std::unique_ptr<net::ListenSocket>> bind(const net::Address& address, const net::ListenOptions& options,
                                                  uint32_t workers) override;
  using net::Network::accept;
  std::unique_ptr<net::Acceptor> accept(net::ListenSocket& socket, uint32_t worker, const net::AcceptOptions& options,
                                        net::OnAccept on_accept) override;
  using net::Network::connect;
  std::unique_ptr<net::Transport> connect(const net::Address& address, const net::ConnectOptions& options) override;
  net::ReadBuffer& read_buffer() override { return read_buffer_; }

  // What passed between the wires and who is on this network.
  struct Moved {
    uint64_t read = 0, written = 0;
  };
  const Moved& connected() const { return moved_[0]; }  // on connections that were made from here
  const Moved& accepted() const { return moved_[1]; }

 private:
  friend class SimEnd;
  friend class SimAcceptor;

  SimLoop& loop_;
  SimFabric& fabric_;
  const std::string host_;
  net::ReadBuffer read_buffer_;
  size_t read_buffer_used_ = 0;  // bytes of the last dispatch that are still in it
  IntrusiveList<SimEnd> open_;
  Moved moved_[2];
};

}  // namespace sluice::test
