// EndpointStats: track_cluster_stats.per_endpoint_stats: the counts of each host as stats of their own.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "stats/registry.h"
#include "upstream/host_set.h"

namespace sluice::upstream {

// Copies what hosts count anyway (HostState) when somebody looks, so that requests cost nothing more. Hosts of one
// address are one endpoint here. Part of a ClusterShared. Thread: main.
class EndpointStats {
 public:
  // `cells` are main's; all of them outlive it.
  EndpointStats(const model::ClusterPlan& plan, stats::Registry& registry, stats::WorkerCells& cells)
      : plan_(plan), registry_(registry), cells_(cells) {}
  ~EndpointStats();
  EndpointStats(const EndpointStats&) = delete;
  EndpointStats& operator=(const EndpointStats&) = delete;

  // As the hosts are now; those of endpoints that are gone end.
  void show(const HostSet& hosts);

 private:
  static constexpr size_t kCounters = 6;
  using Counts = std::array<uint64_t, kCounters>;
  struct Now {
    std::string hostname;  // of the first one
    Counts counts{};
    uint64_t cx_active = 0, rq_active = 0, rq_pending = 0;
    bool healthy = true;
  };
  struct Shown {
    stats::BlockId id;
    Counts counts{};
  };

  static void add(const Host& host, Now& now);
  void show(const std::string& address, const Now& now);
  stats::BlockId begin(const std::string& address, const std::string& hostname);

  const model::ClusterPlan& plan_;
  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  std::map<std::string, Shown> shown_;  // by address
};

}  // namespace sluice::upstream
