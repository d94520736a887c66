// SimControlPlane: the reference control plane (tools/control_plane) in the simulation: its directory is files in
// memory, its streams are calls of a SimGrpcServer. Aggregated streams, state of the world and delta.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "test/sim/sim_grpc_server.h"
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
  using CallPtr = SimGrpcServer::CallPtr;

  void on_open(const CallPtr& call);
  void on_closed(const CallPtr& call);
  static std::string cat_path(const std::string& name) { return "/plane/" + name; }

  SimFiles files_;
  control_plane::Directory directory_;
  control_plane::WorldPtr world_;
  SimGrpcServer server_;
  std::unique_ptr<control_plane::Clients> clients_;  // null: it is down
  std::map<CallPtr, uint64_t> numbers_;              // of the calls that are clients
};

}  // namespace sluice::test
