// A whole Sluice in the simulation: the production Server on simulated seams, with clients and origins around it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/server.h"
#include "test/support/sim_fabric.h"
#include "test/support/sim_files.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_network.h"
#include "test/support/sim_resolver.h"

namespace sluice::test {

// The machine that a proxy runs on. Outlives its server. Thread: the simulation's.
class SimPlatform final : public server::Platform {
 public:
  SimPlatform(SimFabric& fabric, std::string host)
      : fabric_(fabric),
        host_(std::move(host)),
        loop_(fabric.world()),
        network_(loop_, fabric, host_),
        files_(loop_),
        random_(fabric.world().random().fork()) {}

  event::Loop& main_loop() override { return loop_; }
  net::Network& main_network() override { return network_; }
  SimFiles& files() override { return files_; }
  Random& random() override { return random_; }

  std::unique_ptr<net::Resolver> make_resolver(const net::ResolverOptions& options) override {
    return std::make_unique<SimResolver>(loop_, zone, options);
  }
  std::unique_ptr<xds::AdsTransport> make_google_grpc(const model::GoogleGrpc&, stats::Registry&,
                                                      stats::WorkerCells&) override {
    return nullptr;  // its threads are none of this world's
  }
  // All of them end in `datagrams`.
  std::unique_ptr<net::Datagrams> make_datagrams(const net::Address&) override {
    class Recorder final : public net::Datagrams {
     public:
      explicit Recorder(std::vector<std::string>& to) : to_(to) {}
      void send(std::string_view bytes) override { to_.emplace_back(bytes); }

     private:
      std::vector<std::string>& to_;
    };
    return std::make_unique<Recorder>(datagrams);
  }
  server::WorkerSeams make_worker(uint32_t) override {
    server::WorkerSeams seams;
    auto loop = std::make_unique<SimLoop>(fabric_.world());
    auto network = std::make_unique<SimNetwork>(*loop, fabric_, host_);
    worker_networks_.push_back(network.get());
    seams.network = std::move(network);
    seams.loop = std::move(loop);
    seams.random = std::make_unique<SimRandom>(fabric_.world().random().fork());
    return seams;
  }
  // Every loop takes its turns when the world steps; only the end of a loop must be waited for.
  void spawn(event::Loop& loop) override { spawned_.push_back(static_cast<SimLoop*>(&loop)); }
  void join() override {
    for (SimLoop* loop : spawned_) {
      loop->run();
    }
    spawned_.clear();
  }

  // Of all workers; while their server lives.
  SimNetwork::Moved accepted() const { return moved(&SimNetwork::accepted); }
  SimNetwork::Moved connected() const { return moved(&SimNetwork::connected); }

  SimZone zone;  // what DNS says here
  std::vector<std::string> datagrams;

 private:
  SimNetwork::Moved moved(const SimNetwork::Moved& (SimNetwork::*of)() const) const {
    SimNetwork::Moved sum;
    for (const SimNetwork* network : worker_networks_) {
      sum.read += (network->*of)().read;
      sum.written += (network->*of)().written;
    }
    return sum;
  }

  SimFabric& fabric_;
  const std::string host_;
  std::vector<const SimNetwork*> worker_networks_;
  SimLoop loop_;
  SimNetwork network_;
  SimFiles files_;
  SimRandom random_;
  std::vector<SimLoop*> spawned_;
};

}  // namespace sluice::test
