// Peers of a simulated proxy: a client that sends bytes and keeps what comes back, and an origin that answers HTTP/1
// requests. Their HTTP is their own, so that the proxy's codec is not tested against itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "buffer/buffer.h"
#include "net/transport.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_network.h"

namespace sluice::test {

// One end of a connection that collects what arrives. Thread: the simulation's.
class SimTalker : public net::TransportHandler {
 public:
  SimTalker(SimLoop& loop, net::Network& network, buffer::SlabPool& slabs, std::unique_ptr<net::Transport> transport);
  virtual ~SimTalker();

  void send(std::string_view bytes);
  void close(net::CloseHow how = net::CloseHow::kFin);
  // Off: what arrives stays in the pipe.
  void read(bool on);
  const std::string& received() const { return received_; }
  bool connected() const { return connected_; }
  bool ended() const { return ended_; }  // the peer closed or reset

 protected:
  virtual void on_received() {}
  // The peer ended without a last byte to read; may come beside on_received().
  virtual void on_ended() {}
  // Once everything is on its way.
  void close_when_sent(net::CloseHow how);
  std::string received_;
  SimLoop& loop() { return loop_; }

 private:
  void on_ready(net::Ready ready) override;
  void flush();

  SimLoop& loop_;
  net::Network& network_;
  buffer::SlabPool& slabs_;
  std::unique_ptr<net::Transport> transport_;
  buffer::Buffer out_;
  std::optional<net::CloseHow> close_how_;  // when all is sent
  bool connected_ = false;
  bool ended_ = false;
};

// A machine that clients or an origin run on. Thread: the simulation's.
struct SimMachine {
  SimMachine(SimFabric& fabric, const std::string& host)
      : owner("sim machine"), slabs(owner), loop(fabric.world()), network(loop, fabric, host) {}
  std::unique_ptr<SimTalker> connect(const net::Address& to) {
    return std::make_unique<SimTalker>(loop, network, slabs, network.connect(to));
  }

  Owner owner;
  buffer::SlabPool slabs;
  SimLoop loop;
  SimNetwork network;
};

// A client's connection, which says when there is news: bytes came, or it ended. Thread: the simulation's.
class SimCaller final : public SimTalker {
 public:
  SimCaller(SimMachine& machine, const net::Address& to, std::function<void()> on_news)
      : SimTalker(machine.loop, machine.network, machine.slabs, machine.network.connect(to)),
        on_news_(std::move(on_news)) {}
  // What came and was not taken.
  std::string& bytes() { return received_; }

 private:
  void on_received() override { on_news_(); }
  void on_ended() override { on_news_(); }
  std::function<void()> on_news_;
};

// Answers every complete request by `respond(head, body)` -> the bytes of the response. Thread: the simulation's.
class SimOrigin {
 public:
  using Respond = std::function<std::string(const std::string& head, const std::string& body)>;
  SimOrigin(SimMachine& machine, const net::Address& address, Respond respond);
  ~SimOrigin();

  uint64_t requests() const { return requests_; }
  size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  SimMachine& machine_;
  Respond respond_;
  uint64_t requests_ = 0;
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::test
