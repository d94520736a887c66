// Listener: accepts the connections of one listener plan on one worker and hands them to the filter chain that serves
// them.
#pragma once

#include <memory>
#include <vector>

#include "model/listener_plan.h"
#include "net/network.h"
#include "proxy/chain_server.h"
#include "stats/names_listener.h"

namespace sluice::proxy {

// Owned by its worker. The socket belongs to the server and outlives it. Thread: worker.
class Listener {
 public:
  Listener(model::ListenerPlanPtr plan, net::ListenSocket& socket, const ProxyLocal& proxy);
  ~Listener();

  const model::ListenerPlan& plan() const { return *plan_; }
  // No further accepts; connections go on.
  void stop_accepting() { acceptor_.reset(); }
  void start_drain();
  size_t connections() const;
  void close_all();

 private:
  void on_accept(std::unique_ptr<net::Transport> transport);

  model::ListenerPlanPtr plan_;
  const ProxyLocal proxy_;
  stats::BlockId stats_;
  stats::BlockId worker_stats_;
  stats::Block<stats::ListenerStat> block_;
  stats::Block<stats::ListenerWorkerStat> worker_block_;
  std::vector<std::unique_ptr<net::TransportSocket>> transport_sockets_;  // by filter chain; null: plain
  std::vector<std::unique_ptr<ChainServer>> servers_;                     // by filter chain
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::proxy
