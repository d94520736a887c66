// Server: the main thread. Owns the listen sockets, the workers and what all workers share; starts, drains, ends.
//
//   start() --> serving --SIGTERM: shutdown()--> draining --last connection or term_drain--> ended (main loop stops)
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/bootstrap.h"
#include "proxy/chain_server.h"
#include "server/options.h"
#include "server/platform.h"
#include "server/worker.h"
#include "stats/names_listener.h"
#include "stats/names_server.h"
#include "stats/names_cluster.h"

namespace sluice::server {

// Thread: main.
class Server final {
 public:
  Server(Platform& platform, const Options& options, config::CompiledBootstrap bootstrap);
  ~Server();

  // Binds everything, then starts the workers: all or nothing. The error has one line for each address that failed.
  Result<void> start();
  // Begins the end: no accepts, clients are told to go, main_loop().stop() at the last connection or after
  // options.term_drain.
  void shutdown();
  // Opens access logs and the application log again (SIGUSR1).
  void reopen_logs();

  // Nothing is left but the main loop's last turn.
  bool ended() const { return ended_; }

 private:
  Result<void> bind_all();
  void publish();
  void finish();
  void flush_stats();
  uint32_t concurrency() const;
  int64_t uptime_seconds() const { return to_ms(platform_.main_loop().now() - start_time_) / 1000; }

  Platform& platform_;
  const Options options_;
  config::CompiledBootstrap bootstrap_;
  stats::Registry registry_;
  stats::WorkerCells cells_;  // of the main thread
  proxy::ServerState state_;
  std::vector<std::shared_ptr<upstream::ClusterShared>> clusters_;
  std::vector<std::unique_ptr<net::ListenSocket>> sockets_;  // by listener
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<net::ListenSocket> admin_socket_;
  stats::Block<stats::ServerStat> server_block_;
  stats::Block<stats::ListenerManagerStat> listeners_block_;
  stats::Block<stats::ClusterManagerStat> clusters_block_;
  MonotonicTime start_time_;
  uint32_t workers_draining_ = 0;
  bool shutting_down_ = false;
  bool ended_ = false;
  event::Timer term_timer_;
  event::Timer stats_timer_;
};

}  // namespace sluice::server
