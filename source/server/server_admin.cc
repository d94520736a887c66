// The server as its admin pages see it.
#include "base/process.h"
#include "server/server.h"

namespace sluice::server {

using stats::ServerStat;

admin::ServerState Server::state() const {
  const bool draining = shutting_down_ || state_.health_failed.load(std::memory_order_relaxed);
  return draining ? admin::ServerState::kDraining : admin::ServerState::kLive;
}

int64_t Server::uptime_s() const { return to_ms(platform_.main_loop().now() - started_) / 1000; }

admin::NodeInfo Server::node() const {
  const config::NodePlan& node = bootstrap_.node;
  return {node.id, node.cluster, node.region, node.zone, node.sub_zone};
}

std::vector<admin::ClusterInfo> Server::clusters() const {
  std::vector<admin::ClusterInfo> out;
  for (const auto& cluster : clusters_) {
    admin::ClusterInfo& info = out.emplace_back();
    info.name = cluster->plan->name;
    info.observability_name = cluster->plan->observable_name;
    info.breakers = cluster->plan->breakers;
    for (const upstream::Host& host : cluster->hosts) {
      admin::HostInfo& h = info.hosts.emplace_back();
      const upstream::HostState& counts = host.state;
      h.address = host.plan->address;
      h.hostname = host.plan->hostname;
      h.cx_active = counts.cx_active.load(std::memory_order_relaxed);
      h.cx_connect_fail = counts.cx_connect_fail.load(std::memory_order_relaxed);
      h.cx_total = counts.cx_total.load(std::memory_order_relaxed);
      h.rq_active = counts.rq_active.load(std::memory_order_relaxed);
      h.rq_error = counts.rq_error.load(std::memory_order_relaxed);
      h.rq_success = counts.rq_success.load(std::memory_order_relaxed);
      h.rq_timeout = counts.rq_timeout.load(std::memory_order_relaxed);
      h.rq_total = counts.rq_total.load(std::memory_order_relaxed);
      h.eds_health = host.plan->health;
      h.weight = host.plan->weight;
      h.priority = host.plan->priority;
      h.region = host.plan->region;
      h.zone = host.plan->zone;
      h.sub_zone = host.plan->sub_zone;
    }
  }
  return out;
}

std::vector<admin::ListenerInfo> Server::listeners() const {
  std::vector<admin::ListenerInfo> out;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    out.push_back({bootstrap_.listeners[i]->name, addresses_[i]});
  }
  return out;
}

void Server::refresh_stats() {
  server_block_.set(ServerStat::kUptime, static_cast<uint64_t>(uptime_s()));
  server_block_.set(ServerStat::kState, static_cast<uint64_t>(state()));
  for (const auto& cluster : clusters_) {
    for (uint8_t priority = 0; priority < 2; ++priority) {
      using stats::BreakerStat;
      using upstream::Resource;
      auto block = cells_.block<BreakerStat>(cluster->breaker_stats[priority]);
      const auto open = [&](Resource resource) {
        return cluster->breakers.in_use(resource, priority) >= cluster->breakers.limit(resource, priority) ? 1 : 0;
      };
      block.set(BreakerStat::kCxOpen, open(Resource::kConnections));
      block.set(BreakerStat::kRqPendingOpen, open(Resource::kPending));
      block.set(BreakerStat::kRqOpen, open(Resource::kRequests));
    }
  }
}

// The answer of the page still leaves; nothing else is waited for.
void Server::quit() {
  if (!shutting_down_) {
    shutting_down_ = true;
    term_timer_.arm(std::chrono::milliseconds(1));
  }
}

void Server::stop_accepting(bool inbound_only) {
  workers_stopping_ = static_cast<uint32_t>(workers_.size());
  for (auto& worker : workers_) {
    worker->loop().post([this, &worker = *worker, inbound_only] {
      worker.stop_accepting([inbound_only](const model::ListenerPlan& plan) {
        return !inbound_only || plan.direction == model::TrafficDirection::kInbound;
      });
      platform_.main_loop().post([this, inbound_only] {
        if (--workers_stopping_ == 0) {
          close_sockets(inbound_only);
        }
      });
    });
  }
}

// No worker accepts on them any more: closing refuses who comes now instead of leaving them in the kernel's queue.
void Server::close_sockets(bool inbound_only) {
  for (size_t i = 0; i < sockets_.size(); ++i) {
    const bool meant = !inbound_only || bootstrap_.listeners[i]->direction == model::TrafficDirection::kInbound;
    if (meant && sockets_[i] != nullptr) {
      sockets_[i].reset();
      listeners_block_.inc(stats::ListenerManagerStat::kListenerStopped);
    }
  }
}

// Without `graceful` the sockets close and nobody is told; with it clients are told for the drain time first.
void Server::drain_listeners(const admin::DrainRequest& request) {
  if (!request.graceful) {
    stop_accepting(request.inbound_only);
    return;
  }
  state_.draining.store(true, std::memory_order_relaxed);
  if (!request.skip_exit) {
    drain_inbound_only_ = request.inbound_only;
    drain_timer_.arm(options_.drain_time);
  }
}

void Server::fail_health_checks() { state_.health_failed.store(true, std::memory_order_relaxed); }
void Server::pass_health_checks() { state_.health_failed.store(false, std::memory_order_relaxed); }

}  // namespace sluice::server
