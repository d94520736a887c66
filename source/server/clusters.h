// Clusters: all clusters of the process on the main thread, from their configuration to their end.
//
//   bootstrap, CDS --add--> warming (endpoints, names, first checks) --warm--> active: workers have it --> removed
//                             an update warms beside the old version, which serves until then
//
// At the start: clusters of the bootstrap that need no control plane first, then its EDS clusters, then CDS and what it
// brings.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/resources.h"
#include "model/on_demand.h"
#include "server/discovery/counts.h"
#include "server/health.h"
#include "server/main_upstream.h"
#include "server/names.h"
#include "server/platform.h"
#include "server/worker.h"
#include "stats/names_cluster.h"
#include "upstream/cluster_shared.h"

namespace sluice::server {

class ClusterDiscovery;
class EndpointDiscovery;

// One version of a cluster that was discovered, for /config_dump. A plain value.
struct ClusterVersion {
  std::string version;
  std::string bytes;
  WallTime updated{};
};

// Owned by the server; the workers outlive it. Thread: main.
class Clusters final : private upstream::HostsFollower {
 public:
  // Stages of the start, in this order.
  enum class Stage : uint8_t { kFixed, kEndpoints, kDiscovery, kDone };

  Clusters(Platform& platform, MainUpstream& main, const std::vector<std::unique_ptr<Worker>>& workers,
           const DiscoveryTools& tools);
  ~Clusters();

  // Before start().
  void add_static(model::ClusterPlanPtr plan);
  // `on_stage`: is told when a stage is reached; the caller goes on with next_stage() when what else belongs there is
  // done (at kEndpoints the runtime's discovery, at kDiscovery CDS).
  void start(Function<void(Stage)> on_stage);
  void next_stage();

  // False: it is in force, or warming, already; or the bootstrap has a cluster of that name, which stays.
  bool add_or_update(config::Compiled<model::ClusterPlan> one);
  // One that cannot be built counts as what it would have been.
  void count_refused(const std::string& name);
  bool remove(const std::string& name);
  std::vector<std::string> discovered() const;

  // What serves, in the order of /clusters.
  std::vector<std::shared_ptr<upstream::ClusterShared>> active() const;
  // The same, in no order.
  void each_active(Function<void(upstream::ClusterShared&)> look) const;
  bool is_static(const std::string& name) const;
  bool is_active(const std::string& name) const;
  // The start is over: all clusters were warm once.
  bool started() const { return stage_ == Stage::kDone; }
  // Told whenever the number of warming clusters becomes zero, and when it is no more, once the start is over. One that
  // some worker has not taken yet counts: what names it may come right behind the answer, and is seen at once.
  void on_warming(Function<void(bool)> hook) { on_warming_ = std::move(hook); }
  // Told whenever one began to serve, after the workers were, or was removed.
  void on_change(Function<void(const std::string& name, model::Found there)> hook) { on_change_ = std::move(hook); }
  // The workers' threads run from now on.
  void workers_run() { running_ = true; }
  // Before somebody looks at the stats.
  void refresh_stats() { names_.refresh_stats(); }
  void clear();

  struct Dumped {
    std::string name;
    ClusterVersion version;
    bool active;
  };
  std::vector<Dumped> dump() const;
  // Of EDS clusters: assignments by cluster.
  std::vector<std::pair<const upstream::ClusterShared*, const EndpointDiscovery*>> assignments() const;

 private:
  struct Version;
  struct Entry;

  void on_hosts(upstream::ClusterShared& cluster) override;
  Version& prepare(Entry& entry, model::ClusterPlanPtr plan);
  void begin(const std::string& name);
  void note_new(const upstream::HostSet& hosts);
  Version* warming(const std::string& name, const upstream::ClusterShared* cluster) const;
  void members_known(const std::string& name, const upstream::ClusterShared* cluster);
  void secrets_known(const std::string& name, const upstream::ClusterShared* cluster);
  void warm(const std::string& name, const upstream::ClusterShared* cluster);
  void forget(Version& version);
  void begin_all(bool with_endpoints);
  void look_at_stage();
  std::unique_ptr<Version> drop_warming(Entry& entry);
  void show_counts();
  void hand_out(const std::shared_ptr<upstream::ClusterShared>& cluster);
  // On main's own set, if it has that name, and on each worker's.
  template <typename Work>
  void on_sets(const std::string& name, Work work);

  MainUpstream& main_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  const DiscoveryTools& tools_;
  Health health_;
  Names names_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  uint64_t next_order_ = 0;
  stats::Block<stats::ClusterManagerStat> block_;
  Function<void(Stage)> on_stage_;
  Function<void(bool)> on_warming_;
  Function<void(const std::string&, model::Found)> on_change_;
  Stage stage_ = Stage::kFixed;
  bool stage_open_ = false;  // begun, and its clusters are not all warm
  bool running_ = false;
  size_t active_ = 0;
  size_t warming_fixed_ = 0, warming_endpoints_ = 0;  // the latter by EDS
  bool told_warming_ = false;
};

}  // namespace sluice::server
