#include "server/server.h"

#include <unistd.h>

#include <fstream>

#include "base/log.h"
#include "base/strings.h"
#include "config/tls_secrets.h"
#include "net/machine_address.h"

namespace sluice::server {

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
      upstreams_(platform, registry_, cells_),
      subscriber_({platform, upstreams_, registry_, cells_}, bootstrap_.xds_node),
      fence_(platform.main_loop(), workers_),
      discovery_tools_{platform.main_loop(), registry_,   cells_, *bootstrap_.resources,
                       *bootstrap_.tls,      subscriber_, fence_, server_stats_},
      clusters_(platform, upstreams_, workers_, discovery_tools_),
      cluster_demand_(clusters_, discovery_tools_),
      routes_(discovery_tools_),
      listener_discovery_(listeners_, routes_, *bootstrap_.route_slots, discovery_tools_, options.drain_time),
      term_timer_(platform.main_loop().timers(), [this] { finish(); }),
      stats_timer_(platform.main_loop().timers(), [this] { flush_stats(); }),
      drain_timer_(platform.main_loop().timers(), [this] { listeners_.stop_accepting(drain_inbound_only_); }) {
  if (bootstrap_.overload == nullptr || !bootstrap_.overload->max_connections) {
    state_.overload.connection_limit = bootstrap_.connection_limit;
  }
  if (bootstrap_.internal_buffer) {
    listeners_.allow_internal();
  }
  state_.drain.configure(
      options_.drain_strategy == "immediate" ? proxy::DrainStrategy::kImmediate : proxy::DrainStrategy::kGradual,
      options_.drain_time);
}

Server::~Server() {
  SLUICE_CHECK(workers_.empty());
  platform_.time_turns(platform_.main_loop(), nullptr);
}

Result<void> Server::bind_all() {
  std::string errors;
  for (const model::ListenerPlanPtr& plan : bootstrap_.listeners) {
    if (Result<ListenerChange> added = listeners_.add_or_update(plan, ListenerSource::kStatic); !added) {
      append(errors, errors.empty() ? "" : "\n", "listener '", plan->name, "': ", added.error());
    }
  }
  if (errors.empty() && bootstrap_.admin_address) {
    net::ListenOptions single = bootstrap_.admin_socket;
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
  state_.identity = {bootstrap_.node.id, bootstrap_.node.cluster, bootstrap_.node.zone, bootstrap_.xds_node};
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
  for (const model::StatsSinkPlan& plan : bootstrap_.stats_sinks) {
    stats_sinks_.push_back(std::make_unique<StatsdSink>(plan, platform_, upstreams_));
  }
  if (!flushes_on_demand()) {
    stats_timer_.arm(bootstrap_.stats_flush_interval);
  }
  return {};
}

void Server::watch_turns(const std::string& name, event::Loop& loop, const model::WatchdogPlan& plan) {
  loop.limit_turns(plan.miss, plan.mega_miss);
  guard_.watch(name, loop, plan, platform_.random());
  server_stats_.watch(name, loop);
}

// As histograms of that name.
void Server::time_turns(std::string_view of, event::Loop& loop, stats::WorkerCells& cells) {
  if (!bootstrap_.time_turns) {
    return;
  }
  const auto histogram = [&](std::string_view name) {
    return cells.single(stats::Kind::kHistogram, cat(of, ".dispatcher.", name));
  };
  const auto us = [](Duration time) { return static_cast<uint64_t>(time / std::chrono::microseconds(1)); };
  platform_.time_turns(loop, [us, took = histogram("loop_duration_us"), late = histogram("poll_delay_us")](
                                 Duration turn, std::optional<Duration> delay) mutable {
    took.record(us(turn));
    if (delay) {
      late.record(us(*delay));
    }
  });
}

// Until now nobody listened: clients were refused.
void Server::serve() {
  serving_ = true;
  clusters_.workers_run();
  fence_.workers_run();
  listeners_.start(workers_);
  for (auto& worker : workers_) {
    platform_.spawn(worker->loop());
  }
  listeners_block_.set(ListenerManagerStat::kWorkersStarted, 1);
  if (guard_.needed()) {
    platform_.watch_over(guard_);
  }
  overload_watch_.start();
  server_stats_.started(concurrency(), platform_.main_loop().now() - started_, bootstrap_.server_version);
  if (!bootstrap_.flags_path.empty() && platform_.files().read(bootstrap_.flags_path + "/drain")) {
    SLUICE_LOG(kWarning, kMain, "it starts draining, as ", bootstrap_.flags_path, "/drain says");
    fail_health_checks();
  }
  SLUICE_LOG(kInfo, kMain, version_text(), " serves with ", workers_.size(), " workers");
}

// Everything is handed over before the workers' threads run; later updates go through their loops' post().
void Server::publish() {
  state_.clusters_on_demand = &cluster_demand_;
  subscriber_.set_machine_ip(state_.machine_ip);
  if (!options_.last_good_path.empty()) {
    subscriber_.keep_last_good(options_.last_good_path);
  }
  subscriber_.history().on_published([this](Function<void()> then) { fence_.when_taken(std::move(then)); });
  if (bootstrap_.ads != nullptr) {
    subscriber_.add_ads(*bootstrap_.ads);
  }
  bootstrap_.tls->start(
      registry_, cells_, [this] { return platform_.main_loop().wall_now(); },
      [this](const model::ConfigSource& source, const std::string& name, config::ResourceUser& user) {
        return subscriber_.subscribe(source, interest_in(config::ResourceType::kSecret, name, source), user);
      });
  watch_turns("main_thread", platform_.main_loop(), bootstrap_.watchdogs.main_thread);
  time_turns("server", platform_.main_loop(), cells_);
  for (uint32_t i = 0; i < concurrency(); ++i) {
    WorkerSeams seams = platform_.make_worker(i);
    seams.internal_buffer = bootstrap_.internal_buffer.value_or(seams.internal_buffer);
    workers_.push_back(std::make_unique<Worker>(i, std::move(seams), registry_, state_));
    watch_turns(cat("worker_", i), workers_.back()->loop(), bootstrap_.watchdogs.workers);
    time_turns(cat("listener_manager.worker_", i), workers_.back()->loop(), workers_.back()->cells());
    workers_.back()->clusters().set_own_zone(bootstrap_.local_cluster, bootstrap_.node.locality());
  }
  upstreams_.clusters().set_own_zone(bootstrap_.local_cluster, bootstrap_.node.locality());
  for (const model::ClusterPlanPtr& plan : bootstrap_.clusters) {
    clusters_.add_static(plan);
  }
  clusters_.on_warming([this](bool warming) {
    if (warming) {
      subscriber_.pause(config::ResourceType::kCluster);
    } else {
      subscriber_.resume(config::ResourceType::kCluster);
    }
  });
  clusters_.start([this](Clusters::Stage stage) { on_stage(stage); });
}

void Server::on_stage(Clusters::Stage stage) {
  switch (stage) {
    case Clusters::Stage::kFixed:
      return;
    case Clusters::Stage::kEndpoints:
      subscriber_.open_ads();
      if (bootstrap_.load_stats != nullptr) {
        subscriber_.report_loads(*bootstrap_.load_stats, [this] { return clusters_.active(); });
      }
      runtime_discovery_ = std::make_unique<RuntimeDiscovery>(bootstrap_.runtime_sources, *bootstrap_.runtime,
                                                              discovery_tools_, [this] { clusters_.next_stage(); });
      return;
    case Clusters::Stage::kDiscovery:
      if (!bootstrap_.clusters_source) {
        clusters_.next_stage();
        return;
      }
      cluster_discovery_ = std::make_unique<ClusterDiscovery>(bootstrap_.clusters_source, clusters_, discovery_tools_,
                                                              [this] { clusters_.next_stage(); });
      return;
    case Clusters::Stage::kDone:
      warm_listeners();
      return;
  }
}

// Those of the bootstrap, and LDS. The workers start when all of them are ready.
void Server::warm_listeners() {
  listener_discovery_.on_ready([this] { look_at_listeners(); });
  for (const model::ListenerPlanPtr& plan : bootstrap_.listeners) {
    listener_discovery_.follow(plan);
  }
  if (bootstrap_.listeners_source) {
    listener_discovery_.start(bootstrap_.listeners_source, [this] {
      listeners_known_ = true;
      look_at_listeners();
    });
  } else {
    listeners_known_ = true;
  }
  look_at_listeners();
}

void Server::look_at_listeners() {
  if (!serving_ && !shutting_down_ && listeners_known_ && listeners_.waiting() == 0) {
    serve();
  }
}

void Server::shutdown() {
  if (shutting_down_) {
    return;
  }
  shutting_down_ = true;
  subscriber_.freeze_last_good();
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
  listener_discovery_.clear();
  listeners_.close();
  overload_watch_.stop();
  cluster_discovery_.reset();
  cluster_demand_.clear();
  runtime_discovery_.reset();
  bootstrap_.tls->stop();
  routes_.clear();
  clusters_.clear();
  subscriber_.clear();
  stats_sinks_.clear();
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
  bootstrap_.runtime->unwatch();
  bootstrap_.flush_logs();
  platform_.main_loop().stop();
}

void Server::reopen_logs() {
  log::reopen_file();
  bootstrap_.reopen_logs();
}

void Server::flush_sinks() {
  for (const auto& sink : stats_sinks_) {
    sink->flush(registry_);
  }
}

// The gauges of the process are gathered for who sees them: the pages do that when they are asked.
void Server::flush_stats() {
  registry_.flush();
  bootstrap_.tls->forget_unused();
  server_stats_.look_after_threads(platform_.main_loop().now());
  if (!stats_sinks_.empty()) {
    gather_stats();
    flush_sinks();
  }
  stats_timer_.arm(bootstrap_.stats_flush_interval);
}

}  // namespace sluice::server
