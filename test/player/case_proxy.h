// CaseProxy: the proxy of a case, the production server on simulated seams. It has the whole machine 127.0.0.1 with its
// clients and origins.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/extensions.h"
#include "server/server.h"
#include "test/player/hooks.h"
#include "test/player/spec.h"
#include "test/sim/sim_platform.h"

namespace sluice::player {

inline constexpr const char* kHost = "127.0.0.1";

// Thread: the simulation's.
class CaseProxy {
 public:
  explicit CaseProxy(test::SimFabric& fabric);
  ~CaseProxy() { end(); }

  // With the command line that the case gives. An error: why it did not start.
  Result<void> start(const Spec& argv);
  // Before start(): its filter chains have probes. They outlive it.
  void probe(Hooks& hooks) { extensions_ = hooks.with_probes(extensions_); }
  // A file as the proxy sees it, and on the disk, where the compilers read what a configuration includes.
  void put_file(const std::string& path, const std::string& content);
  std::string appended(const std::string& path) { return platform_.files().appended(path); }

  bool running() const { return server_ != nullptr; }
  // SIGTERM. In an event of the world (it arms timers).
  void shut_down();
  void reopen_logs();
  // It has ended by itself; end() is due.
  bool ended() const { return server_ != nullptr && server_->ended(); }
  // The process is gone. Not inside a step of the world.
  void end() { server_.reset(); }

 private:
  test::SimPlatform platform_;
  config::Extensions extensions_;  // compile what is discovered
  std::unique_ptr<server::Server> server_;
};

}  // namespace sluice::player
