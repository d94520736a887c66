// How connections to a host are made: one address after the other, within the transport socket of the cluster.
#pragma once

#include <memory>

#include "net/transport_socket.h"
#include "upstream/host.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

class Cluster;

// Begins; never null. The cluster and the host outlive it. Thread: worker.
std::unique_ptr<net::Transport> connect_to(Cluster& cluster, Host& host, WorkerLocal& local,
                                           net::TransportWishes wishes);

}  // namespace sluice::upstream
