#include "server/discovery/endpoint_discovery.h"

#include <utility>

#include "base/hash.h"
#include "base/strings.h"

namespace sluice::server {

using config::Verdict;
using stats::ClusterMemberStat;
using stats::EndpointDiscoveryStat;

EndpointDiscovery::EndpointDiscovery(upstream::ClusterShared& cluster, const DiscoveryTools& tools,
                                     Function<void()> on_known)
    : cluster_(cluster),
      tools_(tools),
      on_known_(std::move(on_known)),
      prefix_(cluster.plan->stat_prefix()),
      name_(cluster.plan->eds->service_name),
      id_(tools.registry.add_block<EndpointDiscoveryStat>(prefix_)),
      block_(tools.cells.block<EndpointDiscoveryStat>(id_)),
      stale_(tools.loop.timers(), [this] {
        cluster_.main_block().inc(ClusterMemberStat::kAssignmentStale);
        bytes_.clear();
        cluster_.assign(model::no_endpoints());
      }) {
  if (cluster.plan->eds->source.kind != model::ConfigSource::Kind::kFile) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  }
  const model::ConfigSource& source = cluster.plan->eds->source;
  subscription_ =
      tools.subscriber.subscribe(source, interest_in(config::ResourceType::kEndpoints, name_, source), *this);
}

EndpointDiscovery::~EndpointDiscovery() {
  tools_.registry.remove_text(cat(prefix_, "version_text"));
  tools_.registry.release_block(id_);
}

std::string EndpointDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::Batch<model::AssignmentPlan> batch = tools_.compiler.assignments(update, cluster_.plan->name);
  cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  batch.verdict = take(batch);
  std::string answer = tell(cluster_.plan->name, batch, tools_);
  if (batch.verdict == Verdict::kUnreadable) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateFailure);
    known();
    return answer;
  }
  if (update.known) {
    cluster_.main_block().inc(ClusterMemberStat::kAssignmentUseCached);
  }
  if (batch.verdict == Verdict::kTaken) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateSuccess);
    cluster_.main_block().set(ClusterMemberStat::kVersion, xxhash64(batch.version));
    block_.set(EndpointDiscoveryStat::kUpdateTime, ms_of(tools_.loop.wall_now()));
    tools_.registry.set_text(cat(prefix_, "version_text"), batch.version);
  } else {
    block_.inc(EndpointDiscoveryStat::kUpdateRejected);
  }
  known();
  return answer;
}

// One assignment, of this cluster's name, or none.
Verdict EndpointDiscovery::take(config::Batch<model::AssignmentPlan>& batch) {
  if (batch.verdict == Verdict::kUnreadable || batch.verdict == Verdict::kRejected) {
    return batch.verdict;
  }
  if (batch.resources.empty()) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateEmpty);
    return Verdict::kTaken;
  }
  if (batch.resources.size() > 1) {
    batch.why = cat("there are ", batch.resources.size(), " assignments; meant is one, '", name_, "'");
    return Verdict::kRejected;
  }
  config::Compiled<model::AssignmentPlan>& one = batch.resources.front();
  if (one.name != name_) {
    batch.why = cat("the assignment is '", one.name, "'; meant is '", name_, "'");
    return Verdict::kRejected;
  }
  if (one.plan == nullptr) {
    return Verdict::kRejected;
  }
  put_in_force(one);
  return Verdict::kTaken;
}

void EndpointDiscovery::put_in_force(config::Compiled<model::AssignmentPlan>& one) {
  stale_.cancel();
  if (one.plan->stale_after.count() > 0) {
    cluster_.main_block().inc(ClusterMemberStat::kAssignmentTimeoutReceived);
    stale_.arm(one.plan->stale_after);
  }
  updated_ = tools_.loop.wall_now();
  if (one.bytes == bytes_) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateNoRebuild);
    return;
  }
  bytes_ = std::move(one.bytes);
  cluster_.assign(std::move(one.plan));
}

void EndpointDiscovery::on_rejected(std::string_view) {
  cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  block_.inc(EndpointDiscoveryStat::kUpdateRejected);
  known();
}

void EndpointDiscovery::on_failure(std::string_view) {
  cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  cluster_.main_block().inc(ClusterMemberStat::kUpdateFailure);
}

void EndpointDiscovery::on_timeout() {
  cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  block_.inc(EndpointDiscoveryStat::kInitFetchTimeout);
  known();
}

void EndpointDiscovery::known() {
  if (Function<void()> hook = std::exchange(on_known_, nullptr)) {
    hook();
  }
}

}  // namespace sluice::server
