// GrpcWay: how a worker calls the collector of a GrpcService: over the pools of a cluster (envoy_grpc), or by gRPC's
// own library (google_grpc).
#pragma once

#include <memory>
#include <string_view>

#include "base/time.h"
#include "exporters/collector.h"
#include "proxy/chain_server.h"
#include "upstream/google_grpc.h"
#include "upstream/grpc_call.h"

namespace sluice::exporters {

// Owned by an exporter; its calls end before it does, and the collector's plan after it. Thread: worker.
class GrpcWay {
 public:
  GrpcWay(const Collector& collector, const proxy::ProxyLocal& proxy);

  // There is such a cluster, or no need of one.
  bool is_there() const;
  // Only when it is there. The call goes on for `timeout`; 0: for ever. At most `max_queued` bytes wait in it.
  upstream::GrpcCallPtr call(std::string_view method, Duration timeout, size_t max_queued, upstream::GrpcUser& user);

 private:
  const Collector& collector_;
  const proxy::ProxyLocal& proxy_;
  const std::unique_ptr<upstream::GoogleClient> google_;  // null: over a cluster
};

}  // namespace sluice::exporters
