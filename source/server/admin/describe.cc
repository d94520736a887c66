#include "server/admin/describe.h"

namespace sluice::server::admin {
namespace {

HostInfo describe_host(const upstream::Host& host) {
  const auto read = [](const auto& count) { return static_cast<uint64_t>(count.load(std::memory_order_relaxed)); };
  const upstream::HostState& state = host.state;
  const model::EndpointPlan& plan = *host.plan;
  HostInfo out;
  out.address = plan.address;
  out.hostname = plan.hostname;
  out.cx_active = read(state.cx_active);
  out.cx_connect_fail = read(state.cx_connect_fail);
  out.cx_total = read(state.cx_total);
  out.rq_active = read(state.rq_active);
  out.rq_error = read(state.rq_error);
  out.rq_success = read(state.rq_success);
  out.rq_timeout = read(state.rq_timeout);
  out.rq_total = read(state.rq_total);
  out.eds_health = plan.health;
  out.weight = plan.weight;
  out.priority = plan.priority;
  out.region = plan.region;
  out.zone = plan.zone;
  out.sub_zone = plan.sub_zone;
  return out;
}

}  // namespace

ClusterInfo describe(const upstream::ClusterShared& cluster) {
  ClusterInfo out;
  out.name = cluster.plan->name;
  out.observability_name = cluster.plan->observable_name;
  out.breakers = cluster.plan->breakers;
  for (const upstream::Host& host : cluster.hosts) {
    out.hosts.push_back(describe_host(host));
  }
  return out;
}

}  // namespace sluice::server::admin
