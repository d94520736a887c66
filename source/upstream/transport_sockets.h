// TransportSockets: what wraps the connections to the hosts of a cluster, on one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/strings.h"
#include "model/cluster_plan.h"
#include "net/transport_socket.h"
#include "upstream/host.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

// The cluster's own socket, and one for each of transport_socket_matches. Thread: worker or main.
class TransportSockets {
 public:
  TransportSockets(const model::ClusterPlan& plan, const WorkerLocal& local) {
    const std::string prefix = plan.stat_prefix();
    const auto add = [&](const net::TransportSocketPlanPtr& socket) {
      sockets_.push_back(socket == nullptr ? nullptr : socket->on_worker(local.transport_scope(), prefix));
    };
    add(plan.transport_socket);
    for (const model::SocketMatch& match : *plan.socket_matches) {
      add(match.socket);
    }
  }

  // Null: nothing.
  net::TransportSocket* of(const Host& host) const { return of(host.socket_match.load(std::memory_order_relaxed)); }
  // Of EndpointPlan::socket_match.
  net::TransportSocket* of(uint16_t match) const { return sockets_[match].get(); }

 private:
  std::vector<std::unique_ptr<net::TransportSocket>> sockets_;  // null: plain
};

}  // namespace sluice::upstream
