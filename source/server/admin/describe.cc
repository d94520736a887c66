#include "server/admin/describe.h"

namespace sluice::server::admin {
namespace {

HostInfo describe_host(const upstream::Host& host) {
  const auto read = [](const auto& count) { return static_cast<uint64_t>(count.load(std::memory_order_relaxed)); };
  const upstream::HostState& state = host.state;
  const model::EndpointPlan& plan = *host.plan;
  HostInfo out;
  out.address = host.address();
  out.hostname = host.hostname();
  out.cx_active = read(state.cx_active);
  out.cx_connect_fail = read(state.cx_connect_fail);
  out.cx_total = read(state.cx_total);
  out.rq_active = read(state.rq_active);
  out.rq_error = read(state.rq_error);
  out.rq_success = read(state.rq_success);
  out.rq_timeout = read(state.rq_timeout);
  out.rq_total = read(state.rq_total);
  out.eds_health = plan.health;
  out.weight = host.weight();
  out.priority = host.place->priority;
  out.region = host.place->locality.region;
  out.zone = host.place->locality.zone;
  out.sub_zone = host.place->locality.sub_zone;
  const uint8_t failing = host.failing.load(std::memory_order_relaxed);
  out.failed_active_check = (failing & upstream::kActiveCheck) != 0;
  out.failed_outlier_check = (failing & upstream::kOutlier) != 0;
  const uint8_t degraded = host.degraded.load(std::memory_order_relaxed);
  out.degraded_by_check = (degraded & upstream::kActiveCheck) != 0;
  out.degraded_by_answers = (degraded & upstream::kOutlier) != 0;
  out.pending_removal = plan.removed;
  out.check_pending = host.check_pending;
  out.says_goodbye = host.says_goodbye;
  out.check_timed_out = host.check_timed_out && out.failed_active_check;
  out.canary = plan.canary;
  if (host.outlier != nullptr) {
    out.success_rate = host.outlier->success_rate.load(std::memory_order_relaxed);
    out.local_success_rate = host.outlier->local_success_rate.load(std::memory_order_relaxed);
  }
  return out;
}

}  // namespace

ClusterInfo describe(const upstream::ClusterShared& cluster) {
  ClusterInfo out;
  out.name = cluster.plan->name;
  out.observability_name = cluster.plan->observable_name();
  if (cluster.plan->discovery == model::Discovery::kEds) {
    out.eds_service_name = cluster.plan->eds->service_name;
  }
  out.breakers = *cluster.plan->breakers;
  for (const auto& host : cluster.hosts()->hosts) {
    out.hosts.push_back(describe_host(*host));
  }
  return out;
}

}  // namespace sluice::server::admin
