// NamedStats: stats of a cluster whose names filters choose ("cluster.NAME." and "grpc.service.method.total").
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "stats/registry.h"

namespace sluice::upstream {

// Made when they are first needed; they end with the cluster. Clients choose some of the names (methods of gRPC): above
// kMost nothing new is counted. Part of its Cluster. Thread: worker.
class NamedStats {
 public:
  static constexpr size_t kMost = 10'000;

  NamedStats(stats::WorkerCells& cells, stats::BlockId cluster) : cells_(cells), cluster_(cluster) {}

  // `name` stands behind the cluster's prefix; each has one kind.
  void add(std::string_view name, uint64_t amount) {
    if (stats::Single* const found = single(stats::Kind::kCounter, name)) found->add(amount);
  }
  void record(std::string_view name, uint64_t value) {
    if (stats::Single* const found = single(stats::Kind::kHistogram, name)) found->record(value);
  }

 private:
  // Null: there are too many.
  stats::Single* single(stats::Kind kind, std::string_view name);

  stats::WorkerCells& cells_;
  stats::BlockId cluster_;
  std::map<std::string, stats::Single, std::less<>> stats_;
};

}  // namespace sluice::upstream
