// RequestRig: the production server on seams that do nothing of their own, so that what runs between them is the data
// path alone: its instructions and its allocations can be counted. One worker, one client connection, one origin.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/server.h"
#include "test/support/sim_files.h"

namespace sluice::test {

// A transport whose peer is the rig: reads what the rig put in, keeps what was written. Thread: the rig's.
class RigPipe final : public net::Transport {
 public:
  explicit RigPipe(bool connecting) : connecting_(connecting) {}

  // What the next reads get. Lives until it was read.
  void feed(std::string_view bytes) { in_ = bytes; }
  // Reads once, as the loop does for a descriptor that is ready.
  void run_handler();
  const std::string& output() const { return written_; }
  void forget_written() { written_.clear(); }
  // Gives back what it holds itself.
  void shrink() { std::string().swap(written_); }

  void set_handler(net::TransportHandler* handler) override { handler_ = handler; }
  net::IoResult read(net::ReadLease& lease, size_t max, buffer::Buffer& into) override;
  net::IoResult write(buffer::Buffer& from) override;
  void want_read(bool) override {}
  void want_write(bool) override {}
  void shutdown_write() override {}
  void close(net::CloseHow) override { closed_ = true; }
  bool closed() const override { return closed_; }
  const net::Address& local() const override { return address_; }
  const net::Address& remote() const override { return address_; }
  std::string_view failure() const override { return {}; }

 private:
  net::TransportHandler* handler_ = nullptr;
  net::Address address_ = *net::Address::from_ip("127.0.0.1", 40'000);
  std::string_view in_;
  std::string written_;
  bool connecting_;
  bool closed_ = false;
};

// Loop and network of the one worker. Turns run when the rig says so. Thread: the rig's.
class RigLoop final : public event::Loop {
 public:
  RigLoop() : Loop(MonotonicTime{1'000'000'000}) {}
  void turn(Duration later);
  WallTime wall_now() const override { return WallTime{1'700'000'000'000'000 + now().ns / 1'000}; }
  void post(Function<void()> work) override { posted_.push_back(std::move(work)); }
  void run() override {}
  void stop() override {}

 private:
  void wake_for_turn_end() override {}
  std::vector<Function<void()>> posted_;
  std::vector<Function<void()>> batch_;
};
class RigNetwork final : public net::Network {
 public:
  Result<std::unique_ptr<net::ListenSocket>> bind(const net::Address& address, const net::ListenOptions&,
                                                  uint32_t) override;
  using net::Network::accept;
  std::unique_ptr<net::Acceptor> accept(net::ListenSocket&, uint32_t, const net::AcceptOptions&,
                                        net::OnAccept on_accept) override;
  std::unique_ptr<net::Transport> connect(const net::Address&, const net::ConnectOptions&) override;
  net::ReadBuffer& read_buffer() override { return read_buffer_; }

  net::OnAccept on_accept;            // the listener's
  std::vector<RigPipe*> connections;  // to the origin, as they were made
 private:
  net::ReadBuffer read_buffer_;
};

class RigPlatform final : public server::Platform {
 public:
  event::Loop& main_loop() override { return main; }
  net::Network& main_network() override { return main_network_; }
  SimFiles& files() override { return files_; }
  Random& random() override { return random_; }
  // Its clusters have addresses: nobody asks.
  std::unique_ptr<net::Resolver> make_resolver(const net::ResolverOptions&) override { return nullptr; }
  std::unique_ptr<xds::AdsTransport> make_google_grpc(const model::GoogleGrpc&, stats::Registry&,
                                                      stats::WorkerCells&) override {
    return nullptr;
  }
  std::unique_ptr<net::Datagrams> make_datagrams(const net::Address&) override { return nullptr; }
  server::WorkerSeams make_worker(uint32_t) override;
  void spawn(event::Loop&) override {}
  void join() override {}

  RigLoop main;
  RigLoop* loop = nullptr;        // the worker's,
  RigNetwork* network = nullptr;  // and its network

 private:
  SimWorld world_{1};  // of the files
  SimLoop files_loop_{world_};
  SimFiles files_{files_loop_};
  RigNetwork main_network_;
  SeededRandom random_{1};
};

// Thread: one.
class RequestRig final {
 public:
  // Serves `yaml`, whose first listener takes the client.
  explicit RequestRig(std::string_view yaml);
  ~RequestRig();

  // Another client takes the place of the first, whose connection stays open and idle.
  void next_client();

  // One exchange on the kept connections; the origin answers at once.
  void exchange(std::string_view request, std::string_view response);
  // Whether the last one went well: the origin was asked, the client got the end of the body, all connections are kept.
  bool served(std::string_view end_of_body) const;

  // What the client got by it.
  const std::string& received() const { return client_->output(); }

  std::string error;

 private:
  void turns(int count);

  RigPlatform platform_;
  RigPipe* client_ = nullptr;
  bool asked_ = false;
  std::unique_ptr<server::Server> server_;
};

// A listener, `virtual_hosts` with `routes` each, and a cluster, configured like those of the benchmark: without what
// the other proxies do not do either.
std::string rig_config(int virtual_hosts, int routes);

}  // namespace sluice::test
