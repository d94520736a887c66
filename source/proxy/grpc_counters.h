// GrpcCounters: the counters of gRPC calls that filters keep under "cluster.NAME.".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "proxy/filter.h"
#include "stats/registry.h"

namespace sluice::proxy {

// "cluster.NAME." of the cluster that the request goes to as its route is now; empty: to none.
std::string cluster_scope(Exchange& exchange, const http::RequestHeaders& request);

struct GrpcMethod {
  std::string_view service, method;
};
// Of "/service/method"; nothing for other paths.
std::optional<GrpcMethod> grpc_method(std::string_view target);

// Those of one worker, made when they are first needed. Clients choose the names of methods: above kMost nothing new is
// counted. Thread: its worker's.
class GrpcCounters final : public FilterLocal {
 public:
  explicit GrpcCounters(const FilterPlace& place);
  static constexpr size_t kMost = 10'000;
  void add(const std::string& counter, uint64_t amount);
  void record(const std::string& histogram, uint64_t value);
  // The status by its number, success or failure, and total.
  void count_end(std::string_view scope, std::string_view grpc_status);

 private:
  // Null: there are too many.
  stats::Single* single(stats::Kind kind, const std::string& name);

  stats::WorkerCells& cells_;
  std::map<std::string, stats::Single> stats_;
};

}  // namespace sluice::proxy
