// GrpcCounters: the counters of gRPC calls that filters keep under "cluster.NAME.".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "upstream/cluster_handle.h"

namespace sluice::proxy {

class Exchange;

struct GrpcMethod {
  std::string_view service, method;
};
// Of "/service/method"; nothing for other paths.
std::optional<GrpcMethod> grpc_method(std::string_view target);

// Those of one call; they are the cluster's (upstream/named_stats.h), which is kept until the call is over.
// Part of its filter. Thread: its exchange's.
class GrpcCounters {
 public:
  // From now on it counts for the cluster that the request goes to as its route is now. `prefix`:
  // "grpc.service.method.". Without a cluster nothing is counted.
  void begin(Exchange& exchange, const http::RequestHeaders& request, std::string prefix);
  bool counts() const { return cluster_.get() != nullptr; }
  void add(std::string_view counter, uint64_t amount);
  void record(std::string_view histogram, uint64_t value);
  // The status by its number, success or failure, and total.
  void count_end(std::string_view grpc_status);

 private:
  upstream::ClusterHandle cluster_;
  std::string prefix_;
};

}  // namespace sluice::proxy
