#include "server/clusters.h"

#include <algorithm>
#include <utility>

#include "config/tls_secrets.h"
#include "server/discovery/endpoint_discovery.h"

namespace sluice::server {

using model::Discovery;
using stats::ClusterManagerStat;
using stats::ClusterMemberStat;

// One configuration of a cluster, and what keeps its hosts right.
struct Clusters::Version {
  std::shared_ptr<upstream::ClusterShared> cluster;
  Rare<ClusterVersion> said;  // by a control plane
  std::unique_ptr<EndpointDiscovery> endpoints;
  bool begun = false;

  bool by_endpoints() const { return cluster->plan->discovery == Discovery::kEds; }
};

struct Clusters::Entry {
  std::unique_ptr<Version> active, warming;
  bool is_static = false;
  uint64_t order = 0;
};

Clusters::Clusters(Platform& platform, MainUpstream& main, const std::vector<std::unique_ptr<Worker>>& workers,
                   const DiscoveryTools& tools)
    : main_(main),
      workers_(workers),
      tools_(tools),
      health_(main.local()),
      names_(platform, tools.cells),
      block_(tools.cells.block<ClusterManagerStat>(tools.registry.add_block<ClusterManagerStat>("cluster_manager."))) {
  tools.fence.on_down([this] { show_counts(); });
  main_.clusters().take_from([this](std::string_view name) -> std::shared_ptr<upstream::ClusterShared> {
    const auto found = entries_.find(name);
    return found == entries_.end() || found->second->active == nullptr ? nullptr : found->second->active->cluster;
  });
}

Clusters::~Clusters() = default;

template <typename Work>
void Clusters::on_sets(const std::string& name, Work work) {
  if (main_.clusters().has(name)) {
    work(main_.clusters());
  }
  for (const auto& worker : workers_) {
    if (running_) {
      worker->loop().post([&worker = *worker, work] { work(worker.clusters()); });
    } else {
      work(worker->clusters());
    }
  }
}

Clusters::Version& Clusters::prepare(Entry& entry, model::ClusterPlanPtr plan) {
  entry.warming = std::make_unique<Version>();
  Version& version = *entry.warming;
  version.cluster = std::make_shared<upstream::ClusterShared>(std::move(plan), tools_.registry, tools_.cells);
  version.cluster->main_block().set(ClusterMemberStat::kWarmingState, 1);
  ++(version.by_endpoints() ? warming_endpoints_ : warming_fixed_);
  return version;
}

std::unique_ptr<Clusters::Version> Clusters::drop_warming(Entry& entry) {
  --(entry.warming->by_endpoints() ? warming_endpoints_ : warming_fixed_);
  return std::move(entry.warming);
}

void Clusters::add_static(model::ClusterPlanPtr plan) {
  auto& entry = entries_[plan->name];
  entry = std::make_unique<Entry>();
  entry->is_static = true;
  entry->order = next_order_++;
  tools_.compiler.add_cluster(plan->name);
  prepare(*entry, std::move(plan));
  block_.inc(ClusterManagerStat::kClusterAdded);
  show_counts();
}

bool Clusters::add_or_update(config::Compiled<model::ClusterPlan> one) {
  auto& entry = entries_[one.name];
  if (entry != nullptr) {
    const Version* newest = entry->warming != nullptr ? entry->warming.get() : entry->active.get();
    if (entry->is_static || newest->said->bytes == one.bytes) {
      return false;
    }
    if (entry->warming != nullptr) {
      forget(*drop_warming(*entry));
    }
    block_.inc(ClusterManagerStat::kClusterModified);
  } else {
    entry = std::make_unique<Entry>();
    entry->order = next_order_++;
    block_.inc(ClusterManagerStat::kClusterAdded);
  }
  Version& version = prepare(*entry, one.plan);
  version.said.edit() = {std::move(one.version), std::move(one.bytes), tools_.loop.wall_now()};
  show_counts();
  begin(one.name);
  return true;
}

void Clusters::count_refused(const std::string& name) {
  block_.inc(entries_.contains(name) ? ClusterManagerStat::kClusterModified : ClusterManagerStat::kClusterAdded);
}

bool Clusters::remove(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second->is_static) {
    return false;
  }
  const std::unique_ptr<Entry> entry = std::move(found->second);
  entries_.erase(found);
  tools_.compiler.remove_cluster(name);
  if (entry->warming != nullptr) {
    forget(*drop_warming(*entry));
  }
  if (entry->active != nullptr) {
    forget(*entry->active);
    --active_;
    // A table that does not name it any more may still wait there.
    tools_.fence.behind([this, cluster = entry->active->cluster] {
      on_sets(cluster->plan->name, [cluster](upstream::ClusterSet& set) { set.remove(cluster); });
    });
  }
  block_.inc(ClusterManagerStat::kClusterRemoved);
  if (on_change_) {
    on_change_(name, model::Found::kNo);
  }
  show_counts();
  look_at_stage();
  return true;
}

void Clusters::start(Function<void(Stage)> on_stage) {
  on_stage_ = std::move(on_stage);
  stage_open_ = true;
  begin_all(false);
  look_at_stage();
}

// What belongs to this stage beside the clusters is done.
void Clusters::next_stage() {
  stage_open_ = true;
  if (stage_ == Stage::kEndpoints) {
    begin_all(true);
  }
  look_at_stage();
}

void Clusters::begin_all(bool with_endpoints) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (entry->warming != nullptr && !entry->warming->begun && (with_endpoints || !entry->warming->by_endpoints())) {
      names.push_back(name);
    }
  }
  tools_.subscriber.pause(config::ResourceType::kEndpoints);
  for (const std::string& name : names) {
    begin(name);
  }
  tools_.subscriber.resume(config::ResourceType::kEndpoints);
}

// The clusters of this stage are warm: on to the next one.
void Clusters::look_at_stage() {
  while (stage_open_ && stage_ != Stage::kDone) {
    if (warming_fixed_ > 0 || (stage_ != Stage::kFixed && warming_endpoints_ > 0)) {
      return;
    }
    stage_open_ = false;
    stage_ = static_cast<Stage>(static_cast<uint8_t>(stage_) + 1);
    on_stage_(stage_);
  }
}

// Slow start counts from here for hosts that no check says anything of.
void Clusters::note_new(const upstream::HostSet& hosts) {
  for (const auto& host : hosts.hosts) {
    if (host->failing.load(std::memory_order_relaxed) == 0 &&
        host->noted_at.load(std::memory_order_relaxed) == upstream::Host::kNever) {
      host->noted_at.store(tools_.loop.now(), std::memory_order_relaxed);
    }
  }
}

void Clusters::on_hosts(upstream::ClusterShared& cluster) {
  note_new(*cluster.hosts());
  const auto entry = entries_.find(cluster.plan->name);
  if (entry == entries_.end() || entry->second->active == nullptr || entry->second->active->cluster.get() != &cluster) {
    return;  // the workers do not have it yet
  }
  on_sets(cluster.plan->name, [shared = entry->second->active->cluster,
                               hosts = cluster.hosts()](upstream::ClusterSet& set) { set.update(shared, hosts); });
}

// Its hosts are looked for; when they are known, and well, it is warm.
void Clusters::begin(const std::string& name) {
  Version& version = *entries_.find(name)->second->warming;
  version.begun = true;
  upstream::ClusterShared& cluster = *version.cluster;
  cluster.follow(this);
  note_new(*cluster.hosts());
  health_.follow(cluster);
  switch (cluster.plan->discovery) {
    case Discovery::kStrictDns:
    case Discovery::kLogicalDns: {
      const bool waits = cluster.plan->wait_for_warm_on_init;
      names_.follow(cluster, [this, name, raw = &cluster, waits] {
        if (waits) {
          members_known(name, raw);
        }
      });
      if (!waits) {
        members_known(name, &cluster);
      }
      return;
    }
    case Discovery::kForward:
      names_.forward(cluster);
      members_known(name, &cluster);
      return;
    case Discovery::kEds:
      version.endpoints = std::make_unique<EndpointDiscovery>(
          cluster, tools_, [this, name, raw = &cluster] { members_known(name, raw); });
      return;
    default:
      members_known(name, &cluster);
  }
}

// The version that warms, if it is still that of `cluster`; null: another one took its place meanwhile.
Clusters::Version* Clusters::warming(const std::string& name, const upstream::ClusterShared* cluster) const {
  const auto found = entries_.find(name);
  const bool same =
      found != entries_.end() && found->second->warming != nullptr && found->second->warming->cluster.get() == cluster;
  return same ? found->second->warming.get() : nullptr;
}

void Clusters::members_known(const std::string& name, const upstream::ClusterShared* cluster) {
  if (warming(name, cluster) == nullptr) {
    return;
  }
  const model::ClusterPlan& plan = *cluster->plan;
  std::vector<const net::TransportSocketPlan*> sockets{plan.transport_socket.get()};
  for (const model::SocketMatch& match : *plan.socket_matches) {
    sockets.push_back(match.socket.get());
  }
  tools_.secrets.when_known(sockets, [this, name, cluster] { secrets_known(name, cluster); });
}

void Clusters::secrets_known(const std::string& name, const upstream::ClusterShared* cluster) {
  if (Version* version = warming(name, cluster); version == nullptr) {
    return;
  } else if (cluster->plan->health_checks->empty()) {
    warm(name, cluster);
  } else {
    health_.when_checked(*version->cluster, [this, name, cluster] { warm(name, cluster); });
  }
}

// The workers get it whole: its hosts are there before its first request.
void Clusters::warm(const std::string& name, const upstream::ClusterShared* cluster) {
  if (warming(name, cluster) == nullptr) {
    return;
  }
  Entry& entry = *entries_.find(name)->second;
  if (entry.active != nullptr) {
    forget(*entry.active);
    --active_;
  }
  entry.active = drop_warming(entry);
  ++active_;
  const std::shared_ptr<upstream::ClusterShared>& shared = entry.active->cluster;
  shared->main_block().set(ClusterMemberStat::kWarmingState, 0);
  tools_.compiler.add_cluster(name);
  hand_out(shared);
  if (on_change_) {
    on_change_(name, model::Found::kYes);
  }
  show_counts();
  look_at_stage();
}

void Clusters::hand_out(const std::shared_ptr<upstream::ClusterShared>& cluster) {
  on_sets(cluster->plan->name,
          [cluster, hosts = cluster->hosts()](upstream::ClusterSet& set) { set.add(cluster, hosts); });
  tools_.fence.raise();
}

void Clusters::forget(Version& version) {
  upstream::ClusterShared& cluster = *version.cluster;
  version.endpoints.reset();
  names_.forget(cluster);
  health_.forget(cluster);
  cluster.follow(nullptr);
}

void Clusters::show_counts() {
  const size_t warming = warming_fixed_ + warming_endpoints_;
  block_.set(ClusterManagerStat::kActiveClusters, active_);
  block_.set(ClusterManagerStat::kWarmingClusters, warming);
  const bool tell = warming > 0 || !tools_.fence.is_down();
  if (stage_ == Stage::kDone && on_warming_ && told_warming_ != tell) {
    told_warming_ = tell;
    on_warming_(told_warming_);
  }
}

std::vector<std::string> Clusters::discovered() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) {
    if (!entry->is_static) {
      out.push_back(name);
    }
  }
  return out;
}

std::vector<std::shared_ptr<upstream::ClusterShared>> Clusters::active() const {
  std::vector<const Entry*> sorted;
  for (const auto& [name, entry] : entries_) {
    if (entry->active != nullptr) {
      sorted.push_back(entry.get());
    }
  }
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) { return a->order < b->order; });
  std::vector<std::shared_ptr<upstream::ClusterShared>> out;
  for (const Entry* entry : sorted) {
    out.push_back(entry->active->cluster);
  }
  return out;
}

void Clusters::each_active(Function<void(upstream::ClusterShared&)> look) const {
  for (const auto& [name, entry] : entries_) {
    if (entry->active != nullptr) look(*entry->active->cluster);
  }
}

bool Clusters::is_static(const std::string& name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second->is_static;
}

bool Clusters::is_active(const std::string& name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second->active != nullptr;
}

std::vector<Clusters::Dumped> Clusters::dump() const {
  std::vector<Dumped> out;
  for (const auto& [name, entry] : entries_) {
    if (entry->is_static) {
      continue;
    }
    if (entry->active != nullptr) {
      out.push_back({name, *entry->active->said, true});
    }
    if (entry->warming != nullptr) {
      out.push_back({name, *entry->warming->said, false});
    }
  }
  return out;
}

std::vector<std::pair<const upstream::ClusterShared*, const EndpointDiscovery*>> Clusters::assignments() const {
  std::vector<std::pair<const upstream::ClusterShared*, const EndpointDiscovery*>> out;
  for (const auto& [name, entry] : entries_) {
    if (entry->active != nullptr && entry->active->endpoints != nullptr) {
      out.emplace_back(entry->active->cluster.get(), entry->active->endpoints.get());
    }
  }
  return out;
}

void Clusters::clear() {
  tools_.fence.clear();
  health_.clear();
  names_.clear();
  entries_.clear();
}

}  // namespace sluice::server
