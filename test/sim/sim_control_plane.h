// SimControlPlane: the reference control plane (tools/control_plane) in the simulation: its directory is files in
// memory, its gRPC our own HTTP/2 codec on simulated connections. Aggregated streams, state of the world and delta.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "stats/names_http.h"
#include "stats/registry.h"
#include "test/sim/sim_peers.h"
#include "test/support/sim_files.h"
#include "tools/control_plane/clients.h"
#include "tools/control_plane/directory.h"

namespace sluice::test {

// Thread: the simulation's.
class SimControlPlane {
 public:
  SimControlPlane(SimMachine& machine, const net::Address& address);
  ~SimControlPlane();

  // Another text for a file of the directory; nothing is served before read().
  void write(const std::string& name, std::string text) { files_.write(cat_path(name), std::move(text)); }
  // What stands in the directory is served; with an error in it what was served before is served on. Returns the error.
  std::string read();

  void start();
  // Resets whoever is connected, and forgets what they had.
  void stop();
  bool running() const { return clients_ != nullptr; }
  // Somebody is connected, and nobody lacks anything.
  bool in_force() const;

 private:
  class Connection;
  class Call;
  static std::string cat_path(const std::string& name) { return "/plane/" + name; }

  SimMachine& machine_;
  const net::Address address_;
  SimFiles files_;
  control_plane::Directory directory_;
  control_plane::WorldPtr world_;
  Owner owner_{"control plane arenas"};
  ChunkPool chunks_{owner_};
  stats::Registry registry_;
  stats::WorkerCells cells_{registry_};
  stats::BlockId stats_ = registry_.add_block<stats::Http2Stat>("plane.");
  std::unique_ptr<control_plane::Clients> clients_;  // null: it is down
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::test
