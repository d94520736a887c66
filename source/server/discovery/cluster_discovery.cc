#include "server/discovery/cluster_discovery.h"

#include <set>
#include <utility>

namespace sluice::server {

using config::Verdict;

ClusterDiscovery::ClusterDiscovery(const model::ConfigSource& source, Clusters& clusters, const DiscoveryTools& tools,
                                   Function<void()> on_known)
    : clusters_(clusters),
      tools_(tools),
      on_known_(std::move(on_known)),
      counts_("cluster_manager.cds.", source, tools, DiscoveryCounts::Reloads::kCounted) {
  subscription_ = tools.subscriber.subscribe(source, interest_in_all(config::ResourceType::kCluster, source), *this);
}

std::string ClusterDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::Batch<model::ClusterPlan> batch = tools_.compiler.clusters(update);
  if (batch.verdict == Verdict::kTaken || batch.verdict == Verdict::kPartly) {
    if (apply(update, batch)) {
      version_ = batch.version;
      counts_.reloaded();
    }
  }
  counts_.count(batch.verdict, batch.version);
  std::string answer = tell("clusters", batch, tools_);
  known();
  return answer;
}

// First what is new, then what is gone, so that whoever is moved to another name finds it. The endpoints of all new
// clusters are asked for at once.
bool ClusterDiscovery::apply(const config::ResourceUpdate& update, config::Batch<model::ClusterPlan>& batch) {
  tools_.subscriber.pause(config::ResourceType::kEndpoints);
  bool changed = false;
  std::set<std::string, std::less<>> named;
  for (config::Compiled<model::ClusterPlan>& one : batch.resources) {
    named.insert(one.name);
    if (one.plan != nullptr) {
      changed |= clusters_.add_or_update(std::move(one));
    } else {
      clusters_.count_refused(one.name);
    }
  }
  if (update.complete) {
    for (const std::string& name : clusters_.discovered()) {
      changed |= !named.contains(name) && clusters_.remove(name);
    }
  }
  for (const std::string& name : update.removed) {
    changed |= clusters_.remove(name);
  }
  tools_.subscriber.resume(config::ResourceType::kEndpoints);
  return changed;
}

void ClusterDiscovery::on_rejected(std::string_view) {
  counts_.count(Verdict::kRejected, {});
  known();
}

void ClusterDiscovery::on_timeout() {
  counts_.timed_out();
  known();
}

void ClusterDiscovery::known() {
  if (Function<void()> hook = std::exchange(on_known_, nullptr)) {
    hook();
  }
}

}  // namespace sluice::server
