// What a request asks of the TLS of its upstream connection: auto_sni and auto_san_validation.
#pragma once

#include "http/message.h"
#include "model/cluster_plan.h"
#include "net/transport_socket.h"
#include "upstream/cluster.h"

namespace sluice::upstream {

inline bool has_wishes(const model::ClusterPlan& plan) { return plan.auto_sni || plan.auto_san_validation; }
// By the host that will be sent, or the header that the cluster names.
net::TransportWishes wishes_of(const model::ClusterPlan& plan, const http::RequestHeaders& headers);
// Of a host of `cluster`, for a request with these headers.
Pool& pool_for(Cluster& cluster, Host& host, uint8_t priority, const http::RequestHeaders& headers);

}  // namespace sluice::upstream
