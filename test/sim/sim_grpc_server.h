// SimGrpcServer: a gRPC server in the simulation, on our own HTTP/2 codec: calls by their path, messages in and out. It
// can stop reading, and go and come back. Who uses it says what calls get.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "http/grpc.h"
#include "stats/names_http.h"
#include "stats/registry.h"
#include "test/sim/sim_peers.h"

namespace sluice::test {

// Thread: the simulation's.
class SimGrpcServer {
  class Connection;

 public:
  // One call. Lives as long as somebody has it, but not longer than its server; after its end, and after that of its
  // connection, it says nothing.
  class Call {
   public:
    Call(ChunkPool& chunks, std::string path) : arena(chunks), path(std::move(path)) {}
    // Leave in a later turn.
    void send(std::string_view message);
    void end(const char* status);
    bool open() const { return connection_ != nullptr; }

    Arena arena;  // of its heads
    const std::string path;

   private:
    friend class SimGrpcServer;
    Connection* connection_ = nullptr;
    uint32_t stream_ = 0;
    http::GrpcDecoder decoder_{1 << 20};
  };
  using CallPtr = std::shared_ptr<Call>;

  // All but on_message may be left out.
  struct Hooks {
    std::function<void(const CallPtr&)> on_open = nullptr;
    std::function<void(const CallPtr&, std::string_view message)> on_message;
    std::function<void(const CallPtr&)> on_sent = nullptr;   // a message has left
    std::function<void(const CallPtr&)> on_end = nullptr;    // the client says no more
    std::function<void(const CallPtr&)> on_break = nullptr;  // the client resets it, or its connection ends
  };

  // Nobody is heard before start().
  SimGrpcServer(SimMachine& machine, const net::Address& address, Hooks hooks);
  ~SimGrpcServer();

  void start();
  // Resets whoever is connected.
  void stop();
  bool running() const { return acceptor_ != nullptr; }
  // Off: what arrives stays in the pipes, and nobody is answered.
  void read(bool on);

 private:
  SimMachine& machine_;
  const net::Address address_;
  const Hooks hooks_;
  bool reading_ = true;
  Owner owner_{"sim grpc server"};
  ChunkPool chunks_{owner_};
  stats::Registry registry_;
  stats::WorkerCells cells_{registry_};
  stats::BlockId stats_ = registry_.add_block<stats::Http2Stat>("grpc_server.");
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::test
