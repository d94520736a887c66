// LoadReporter: LRS: tells a control plane how much the clusters that it asks about are used.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/service/load_stats/v3/lrs.proto
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "event/loop.h"
#include "stats/names_discovery.h"
#include "stats/registry.h"
#include "upstream/cluster_shared.h"
#include "xds/ads_transport.h"

namespace envoy::config::endpoint::v3 {
class ClusterStats;
class UpstreamLocalityStats;
}  // namespace envoy::config::endpoint::v3

namespace sluice::xds {

// What a load reporter needs beside its stream. The references outlive it. Thread: main.
struct LoadReporterSeams {
  event::Loop& loop;
  AdsTransport& transport;
  stats::Registry& registry;
  stats::WorkerCells& cells;  // main's
};

// One stream, opened again 5 s after it ended. The first message on it says who we are; the answer, which clusters to
// tell of and how often. What a report tells is what came since the report before it, or since the cluster was first
// asked about: the workers count in HostState, here is only looked. Owned by the server. Thread: main.
class LoadReporter final : private AdsStreamOwner {
 public:
  static constexpr Duration kRetryDelay = std::chrono::seconds(5);
  static constexpr Duration kShortestInterval = std::chrono::milliseconds(10);

  using Clusters = std::vector<std::shared_ptr<upstream::ClusterShared>>;

  // `node`: an envoy.config.core.v3.Node, serialized. `clusters`: those that serve now.
  LoadReporter(const LoadReporterSeams& seams, std::string_view node, std::vector<RequestField> metadata,
               Function<Clusters()> clusters);
  ~LoadReporter();

  void start();

 private:
  // What the control plane asked for last.
  struct Wanted {
    bool everything = false;
    std::set<std::string, std::less<>> clusters;
    Duration interval{0};
    bool endpoints = false;  // report_endpoint_granularity
  };
  struct Told {
    MonotonicTime at;  // of the report before
    uint64_t dropped = 0;
  };
  struct Counts {
    uint64_t success = 0, error = 0, active = 0, issued = 0;
  };

  // AdsStreamOwner
  void on_message(std::string_view message) override;
  void on_end(int grpc_status, std::string_view message) override;

  void open();
  void report();
  void begin_period();
  void describe(const upstream::ClusterShared& cluster, Told& told, envoy::config::endpoint::v3::ClusterStats& out);
  // Since the last call.
  static Counts take(upstream::Host& host);
  uint64_t dropped(const upstream::ClusterShared& cluster) const;

  const LoadReporterSeams seams_;
  std::string node_;
  const std::vector<RequestField> metadata_;
  Function<Clusters()> clusters_;
  stats::BlockId stats_;
  stats::Block<stats::LoadReporterStat> block_;
  std::unique_ptr<AdsStream> stream_;
  Wanted wanted_;
  bool asked_ = false;  // there was an answer, on this stream or one before
  std::map<std::string, Told, std::less<>> told_;
  event::Timer period_;
  event::Timer retry_;
};

}  // namespace sluice::xds
