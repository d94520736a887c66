#include "upstream/connect.h"

#include <utility>

#include "net/happy_eyeballs.h"
#include "net/internal_address.h"
#include "net/internal_upstream.h"
#include "upstream/cluster.h"

namespace sluice::upstream {
namespace {

// To an internal listener, through internal_upstream.
void pass(net::Transport& transport, net::TransportSocket* socket, const Cluster& cluster, const Host& host) {
  auto* const connection = dynamic_cast<net::InternalConnection*>(&transport);
  auto* const internal = dynamic_cast<net::InternalUpstreamSocket*>(socket);
  if (connection == nullptr || internal == nullptr) {
    return;
  }
  const MetadataPtr of_host = host.has_metadata.load(std::memory_order_relaxed) ? host.metadata.load() : nullptr;
  internal->pass(*connection, of_host.get(), cluster.plan().metadata.get());
}

std::unique_ptr<net::Transport> connect_one(Cluster& cluster, const Host& host, WorkerLocal& local,
                                            const net::Address& address, const net::TransportWishes& wishes) {
  std::unique_ptr<net::Transport> transport = local.network.connect(address, *cluster.plan().connect);
  net::TransportSocket* socket = cluster.transport_socket(host);
  if (net::is_internal(address)) {
    pass(*transport, socket, cluster, host);
  }
  return socket == nullptr ? std::move(transport) : socket->connect(std::move(transport), &wishes);
}

}  // namespace

std::unique_ptr<net::Transport> connect_to(Cluster& cluster, Host& host, WorkerLocal& local,
                                           net::TransportWishes wishes) {
  const net::AddressesPtr others = host.has_others.load(std::memory_order_relaxed) ? host.others.load() : nullptr;
  if (others == nullptr) {
    return connect_one(cluster, host, local, host.address(), wishes);
  }
  // Each address that is tried counts as a connection.
  const auto connect = [&cluster, &host, &local, wishes = std::move(wishes),
                        tries = 0](const net::Address& to) mutable {
    if (tries++ > 0) {
      cluster.block().inc(stats::ClusterStat::kUpstreamCxTotal);
      HostState::inc(host.state.cx_total);
    }
    return connect_one(cluster, host, local, to, wishes);
  };
  return std::make_unique<net::HappyEyeballs>(
      local.loop, net::in_turn(host.address(), *others, cluster.plan().connect->families), connect);
}

}  // namespace sluice::upstream
