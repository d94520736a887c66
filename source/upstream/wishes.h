// What a request asks of its upstream connection: auto_sni, auto_san_validation, and to be alone with its client.
#pragma once

#include "http/message.h"
#include "model/cluster_plan.h"
#include "net/transport_socket.h"
#include "upstream/cluster.h"

namespace sluice::upstream {

inline bool has_wishes(const model::ClusterPlan& plan) {
  return plan.auto_sni || plan.auto_san_validation || plan.pool_per_downstream;
}
// By the host that will be sent, or the header that the cluster names. `client`: number of the client's connection, for
// clusters where each has connections of its own; 0: none, as with requests of the proxy itself.
net::TransportWishes wishes_of(const model::ClusterPlan& plan, const http::RequestHeaders& headers, uint64_t client);
// Of a host of `cluster`, for a request with these headers.
Pool& pool_for(Cluster& cluster, Host& host, uint8_t priority, const http::RequestHeaders& headers,
               uint64_t client = 0);

}  // namespace sluice::upstream
