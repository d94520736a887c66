// Platform: where the seams of a server come from: libuv and threads in production, one virtual world in the
// simulation.
#pragma once

#include <memory>
#include <optional>

#include "base/function.h"
#include "base/time.h"
#include "event/files.h"
#include "event/loop.h"
#include "model/config_source.h"
#include "net/datagrams.h"
#include "net/network.h"
#include "net/resolver.h"
#include "server/guard.h"
#include "server/worker.h"
#include "xds/ads_transport.h"

namespace sluice::server {

// Outlives its server. Thread: main.
class Platform {
 public:
  virtual ~Platform() = default;
  virtual event::Loop& main_loop() = 0;
  virtual net::Network& main_network() = 0;
  virtual event::Files& files() = 0;
  virtual Random& random() = 0;
  // Of the main loop.
  virtual std::unique_ptr<net::Resolver> make_resolver(const net::ResolverOptions& options) = 0;
  // A way to a control plane by gRPC's own library; null where there is none.
  virtual std::unique_ptr<xds::AdsTransport> make_google_grpc(const model::GoogleGrpc& service,
                                                              stats::Registry& registry, stats::WorkerCells& cells) = 0;
  virtual std::unique_ptr<net::Datagrams> make_datagrams(const net::Address& to) = 0;
  virtual WorkerSeams make_worker(uint32_t index) = 0;
  // Runs the loop of a worker, on a thread of its own where there are threads.
  virtual void spawn(event::Loop& loop) = 0;
  // Tells of every turn of that loop how long it took, and how late it began (event/uv_loop.h); before it runs. Where
  // time is simulated turns take none.
  using TellTurn = Function<void(Duration took, std::optional<Duration> late)>;
  virtual void time_turns(event::Loop&, TellTurn) {}
  // Has the guard look from time to time until join(), on a thread of its own: the process ends when it says so. Where
  // time is simulated no thread hangs.
  virtual void watch_over(const Guard&) {}
  // Waits until every spawned loop has stopped.
  virtual void join() = 0;
};

}  // namespace sluice::server
