// Listener: accepts the connections of one listener plan on one worker, lets listener filters look at them, and hands
// each to the filter chain that serves it.
//
//   accept --listener filters--> hand over to the listener of the original destination, or:
//          --chain match--> transport socket --network filters--> the chain's last filter (ChainServer)
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/intrusive_list.h"
#include "model/listener_plan.h"
#include "net/network.h"
#include "proxy/accepted.h"
#include "proxy/access_log/access_log.h"
#include "proxy/chain_server.h"
#include "proxy/listener_filter.h"
#include "stats/names_listener.h"

namespace sluice::proxy {

class FilteredTransport;
class NetworkFilterMaker;
class PendingConnection;

struct ListenerFilterEntry {
  const model::ListenerFilterPlan* plan;
  std::unique_ptr<ListenerFilter> filter;
};

// Owned by its worker. The sockets belong to the server and outlive it. Thread: worker.
class Listener {
 public:
  // `sockets`: of its address and its additional addresses.
  Listener(model::ListenerPlanPtr plan, const std::vector<net::ListenSocket*>& sockets, const ProxyLocal& proxy);
  ~Listener();

  const model::ListenerPlan& plan() const { return *plan_; }
  // Who waits in the queues still comes in, then no further accepts; connections go on.
  void stop_accepting() {
    for (const auto& acceptor : acceptors_) {
      acceptor->take_waiting();
    }
    acceptors_.clear();
  }
  void start_drain();
  size_t connections() const;
  void close_all();

  // ---- for connections on their way to a chain
  upstream::WorkerLocal& worker() const { return proxy_.local; }
  stats::Block<stats::ListenerStat>& block() { return block_; }
  const std::vector<ListenerFilterEntry>& filters() const { return filters_; }
  // What a chain is chosen by; views of `accepted`.
  static model::ChainInputs chain_inputs(const Accepted& accepted);
  // Listener filters are done with it.
  void pass_on(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  bool logs() const { return !access_log_.empty(); }
  void on_ended(Accepted& accepted, const format::Facts& facts);

 private:
  struct Chain {
    std::unique_ptr<net::TransportSocket> socket;  // null: plain
    std::unique_ptr<ChainServer> server;
    std::vector<std::unique_ptr<NetworkFilterMaker>> filters;
  };

  void on_accept(std::unique_ptr<net::Transport> transport);
  // Of this listener now; its own filters look at it.
  void adopt(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  std::optional<uint32_t> choose_chain(const Accepted& accepted) const;
  void refuse(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  void serve(uint32_t chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  void serve_filtered(Chain& chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);

  model::ListenerPlanPtr plan_;
  const ProxyLocal proxy_;
  stats::BlockId stats_;
  stats::BlockId worker_stats_;
  stats::Block<stats::ListenerStat> block_;
  stats::Block<stats::ListenerWorkerStat> worker_block_;
  AccessLog access_log_;
  std::vector<ListenerFilterEntry> filters_;
  std::vector<Chain> chains_;  // parallel to the plan's
  IntrusiveList<PendingConnection, Listener> pending_;
  IntrusiveList<FilteredTransport, Listener> starting_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
};

}  // namespace sluice::proxy
