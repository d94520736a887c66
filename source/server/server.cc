#include "server/server.h"

#include <unistd.h>

#include <fstream>

#include "base/log.h"
#include "base/strings.h"
#include "config/tls_secrets.h"
#include "net/machine_address.h"

namespace sluice::server {

using stats::ClusterManagerStat;
using stats::ListenerManagerStat;

namespace {

// --stats-tag: tags that every stat has.
std::vector<stats::TagRule> with_tags(std::vector<stats::TagRule> rules,
                                      const std::vector<std::pair<std::string, std::string>>& tags) {
  for (const auto& [tag, value] : tags) {
    rules.push_back({tag, stats::TagRule::Place::kAnywhere, [value = value](std::string_view) {
                       return stats::TagMatch{0, 0, value};
                     }});
  }
  return rules;
}

}  // namespace

Server::Server(Platform& platform, const Options& options, config::CompiledBootstrap bootstrap)
    : platform_(platform),
      options_(options),
      bootstrap_(std::move(bootstrap)),
      registry_(std::move(bootstrap_.stats.hidden), std::move(bootstrap_.stats.bucket_rules)),
      tags_(with_tags(std::move(bootstrap_.stats.tag_rules), options.stats_tags)),
      cells_(registry_),
      server_stats_(registry_, cells_),
      listeners_block_(
          cells_.block<ListenerManagerStat>(registry_.add_block<ListenerManagerStat>("listener_manager."))),
      listeners_(platform, options, concurrency(), listeners_block_),
      overload_watch_(platform, bootstrap_.overload, state_.overload, cells_,
                      [this](proxy::Accepting accepting) { set_accepting(accepting); }),
      upstreams_(platform, registry_, cells_,
                 [this](std::string_view name) -> std::shared_ptr<upstream::ClusterShared> {
                   for (const auto& cluster : clusters_) {
                     if (cluster->plan->name == name) return cluster;
                   }
                   return nullptr;
                 }),
      health_(upstreams_.local()),
      names_(platform),
      term_timer_(platform.main_loop().timers(), [this] { finish(); }),
      stats_timer_(platform.main_loop().timers(), [this] { flush_stats(); }),
      drain_timer_(platform.main_loop().timers(), [this] { listeners_.stop_accepting(drain_inbound_only_); }) {
  if (bootstrap_.overload == nullptr || !bootstrap_.overload->max_connections) {
    state_.overload.connection_limit = bootstrap_.connection_limit;
  }
  state_.drain.configure(
      options_.drain_strategy == "immediate" ? proxy::DrainStrategy::kImmediate : proxy::DrainStrategy::kGradual,
      options_.drain_time);
  clusters_block_ = cells_.block<ClusterManagerStat>(registry_.add_block<ClusterManagerStat>("cluster_manager."));
}

Server::~Server() { SLUICE_CHECK(workers_.empty()); }

Result<void> Server::bind_all() {
  std::string errors;
  for (const model::ListenerPlanPtr& plan : bootstrap_.listeners) {
    if (Result<ListenerChange> added = listeners_.add_or_update(plan, ListenerSource::kStatic); !added) {
      append(errors, errors.empty() ? "" : "\n", "listener '", plan->name, "': ", added.error());
      continue;
    }
    listeners_.ready(plan->name);
  }
  if (errors.empty() && bootstrap_.admin_address) {
    net::ListenOptions single;
    single.reuse_port = false;
    Result<std::unique_ptr<net::ListenSocket>> socket =
        platform_.main_network().bind(*bootstrap_.admin_address, single, 1);
    if (!socket) {
      errors = cat("admin: ", socket.error());
    } else {
      admin_socket_ = std::move(*socket);
    }
  }
  return errors.empty() ? Result<void>() : Result<void>(Error{errors});
}

uint32_t Server::concurrency() const { return options_.concurrency != 0 ? options_.concurrency : available_cpus(); }

Result<void> Server::start() {
  started_ = platform_.main_loop().now();
  accepted_at_ = platform_.main_loop().wall_now();
  if (Result<void> bound = bind_all(); !bound) {
    listeners_.clear();
    return bound;
  }
  state_.machine_ip = net::machine_ip(options_.local_address_v6 ? net::MachineIp::kV6 : net::MachineIp::kV4);
  // Once more, as Envoy does: what changed since the configuration was read is in force before the first connection.
  bootstrap_.runtime->load(&platform_.files());
  bootstrap_.runtime->watch(platform_.files());
  publish();
  if (admin_socket_ != nullptr) {
    if (!options_.admin_address_path.empty()) {
      std::ofstream(options_.admin_address_path) << admin_socket_->address().to_string();
    }
    admin_ =
        std::make_unique<admin::Admin>(platform_.main_loop(), platform_.main_network(), *admin_socket_, *this, cells_);
  }
  if (!flushes_on_demand()) {
    stats_timer_.arm(bootstrap_.stats_flush_interval);
  }
  follow_hosts();
  warmed();
  return {};
}

void Server::warmed() {
  if (--warming_ == 0 && !shutting_down_) {
    serve();
  }
}

// Until now connections waited in the kernel's queue.
void Server::serve() {
  serving_ = true;
  listeners_.start(workers_);
  for (auto& worker : workers_) {
    platform_.spawn(worker->loop());
  }
  listeners_block_.set(ListenerManagerStat::kWorkersStarted, 1);
  overload_watch_.start();
  server_stats_.started(concurrency(), platform_.main_loop().now() - started_);
  SLUICE_LOG(kInfo, kMain, version_text(), " serves with ", workers_.size(), " workers");
}

void Server::follow_hosts() {
  for (const auto& cluster : clusters_) {
    cluster->on_hosts([this, &cluster = cluster](upstream::HostSetPtr hosts) {
      upstreams_.update(cluster, hosts);
      for (auto& worker : workers_) {
        worker->loop().post([&worker = *worker, cluster, hosts] { worker.update_hosts(cluster, hosts); });
      }
    });
    if (cluster->plan->discovery == model::Discovery::kStatic && !cluster->plan->health_checks.empty()) {
      ++warming_;
      health_.when_checked(*cluster, [this] { warmed(); });
    }
    const model::Discovery discovery = cluster->plan->discovery;
    if (discovery != model::Discovery::kStrictDns && discovery != model::Discovery::kLogicalDns) {
      continue;
    }
    const bool waits = cluster->plan->wait_for_warm_on_init;
    warming_ += waits ? 1 : 0;
    names_.follow(*cluster, [this, waits] {
      if (waits) {
        warmed();
      }
    });
  }
}

// Everything is handed over before the workers' threads run; later updates go through their loops' post().
void Server::publish() {
  for (const model::ClusterPlanPtr& plan : bootstrap_.clusters) {
    clusters_.push_back(std::make_shared<upstream::ClusterShared>(plan, registry_, cells_));
    clusters_block_.inc(ClusterManagerStat::kClusterAdded);
    health_.follow(*clusters_.back());
  }
  clusters_block_.set(ClusterManagerStat::kActiveClusters, clusters_.size());
  bootstrap_.tls->start(registry_, cells_, [this] { return platform_.main_loop().wall_now(); });
  server_stats_.watch("main_thread", platform_.main_loop());
  for (uint32_t i = 0; i < concurrency(); ++i) {
    workers_.push_back(std::make_unique<Worker>(i, platform_.make_worker(i), registry_, state_));
    server_stats_.watch(cat("worker_", i), workers_.back()->loop());
    for (const auto& cluster : clusters_) {
      workers_.back()->add_cluster(cluster);
    }
  }
}

void Server::shutdown() {
  if (shutting_down_) {
    return;
  }
  shutting_down_ = true;
  if (!serving_) {
    finish();
    return;
  }
  SLUICE_LOG(kInfo, kMain, "shutting down: no accepts, connections are told to go");
  state_.drain.leave();
  workers_draining_ = static_cast<uint32_t>(workers_.size());
  listeners_.stop_accepting(false);
  for (auto& worker : workers_) {
    worker->loop().post([this, &worker = *worker] {
      worker.drain([this] {
        platform_.main_loop().post([this] {
          if (--workers_draining_ == 0) {
            finish();
          }
        });
      });
    });
  }
  term_timer_.arm(options_.term_drain);
}

void Server::set_accepting(proxy::Accepting accepting) {
  for (auto& worker : workers_) {
    worker->loop().post([&worker = *worker, accepting] { worker.set_accepting(accepting); });
  }
}

void Server::finish() {
  if (ended_) {
    return;
  }
  ended_ = true;
  term_timer_.cancel();
  stats_timer_.cancel();
  drain_timer_.cancel();
  listeners_.close();
  overload_watch_.stop();
  health_.clear();
  names_.clear();
  upstreams_.clear();
  for (auto& worker : workers_) {
    worker->loop().post([&worker = *worker] {
      worker.close();
      // One more turn, so that what was closed is destroyed on its own thread.
      worker.loop().post([&worker] { worker.loop().stop(); });
    });
    if (!serving_) {
      platform_.spawn(worker->loop());  // never ran: only to end
    }
  }
  platform_.join();
  server_stats_.stop_watching();
  workers_.clear();
  admin_.reset();
  admin_socket_.reset();
  listeners_.clear();
  clusters_.clear();
  bootstrap_.runtime->unwatch();
  bootstrap_.flush_logs();
  platform_.main_loop().stop();
}

void Server::reopen_logs() {
  log::reopen_file();
  bootstrap_.reopen_logs();
}

void Server::flush_stats() {
  registry_.flush();
  refresh_stats();
  stats_timer_.arm(bootstrap_.stats_flush_interval);
}

}  // namespace sluice::server
