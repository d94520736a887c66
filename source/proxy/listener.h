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
#include "event/timer_wheel.h"
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

// What a Listener listens on: its address and its additional addresses. A plain value.
struct ListenOn {
  std::vector<net::ListenSocket*> sockets;  // the server's; they outlive it
  std::shared_ptr<net::Balance> balance;    // null: connections stay on the worker that accepts them
};

// What becomes of who waits in the queue when a listener stops accepting: it is this listener's, or somebody else
// accepts on the same socket.
enum class Waiting : uint8_t { kTake, kLeave };

// Its plan may be replaced in place: then connections of chains that are in both plans go on, those of the others
// drain, and everything else stays as it is. Owned by its worker. The sockets belong to the server and outlive it.
// Thread: worker.
class Listener {
 public:
  // `id`: its own; the worker's other listeners have others.
  Listener(uint64_t id, model::ListenerPlanPtr plan, const ListenOn& on, const ProxyLocal& proxy);
  ~Listener();

  uint64_t id() const { return id_; }
  const model::ListenerFrame& frame() const { return frame_; }
  // New connections go to the chains of `plan` from now on, whose frame is the same. The clients of chains that are not
  // in it are told to go with their next answer, until cut_chains(update). How many there are is returned.
  size_t update(model::ListenerPlanPtr plan, uint64_t update);
  void cut_chains(uint64_t update);
  // No further accepts; connections go on.
  void stop_accepting(Waiting waiting);
  // Connections wait in the kernel's queue meanwhile.
  void set_accepting(Accepting accepting);
  bool accepts() const { return !acceptors_.empty(); }
  // It was replaced or removed: clients are told to go, as --drain-strategy says, until close_all().
  void retire();
  // The process ends: idle connections go now, busy ones with their answer.
  void start_drain();
  size_t connections() const;
  // Cuts what is left. One more turn, and it may be destroyed.
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
  // Stays where it is: who serves refers to it.
  struct Chain {
    model::FilterChainPlanPtr plan;
    MonotonicTime drain_since{Drain::kNever};
    uint64_t left_out_by = 0;                      // the update that did it
    std::unique_ptr<net::TransportSocket> socket;  // null: plain
    std::unique_ptr<ChainServer> server;
    std::vector<std::unique_ptr<NetworkFilterMaker>> filters;
    IntrusiveList<FilteredTransport, Listener> starting;

    void close_all();
  };

  void on_accept(std::unique_ptr<net::Transport> transport);
  // Among the connections that are limited in number; false: there is no room.
  bool admit();
  // It is not this listener's any more.
  void leave(const Accepted& accepted);
  // Of this listener now; its own filters look at it.
  void adopt(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  std::optional<uint32_t> choose_chain(const Accepted& accepted) const;
  void refuse(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  void serve(Chain& chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  void serve_filtered(Chain& chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  std::unique_ptr<Chain> make_chain(const model::FilterChainPlanPtr& plan);

  const uint64_t id_;
  const model::ListenerFrame frame_;
  const std::shared_ptr<net::Balance> balance_;
  model::ListenerPlanPtr plan_;
  const ProxyLocal proxy_;
  stats::BlockId stats_;
  stats::BlockId worker_stats_;
  stats::Block<stats::ListenerStat> block_;
  stats::Block<stats::ListenerWorkerStat> worker_block_;
  AccessLog access_log_;
  std::vector<ListenerFilterEntry> filters_;
  std::vector<std::unique_ptr<Chain>> chains_;  // parallel to the plan's
  std::vector<std::unique_ptr<Chain>> left_out_;
  std::vector<std::unique_ptr<Chain>> cut_;  // what died with their connections still looks at them
  event::Timer bury_;
  IntrusiveList<PendingConnection, Listener> pending_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
};

}  // namespace sluice::proxy
