#include "explain/discovered_files.h"

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "config/resources.h"
#include "model/discovered.h"
#include "model/scoped_routes.h"

namespace sluice::explain {
namespace {

using config::Verdict;
using model::ConfigSource;

// Thread: its owner's.
class Files {
 public:
  explicit Files(config::CompiledBootstrap& bootstrap) : bootstrap_(bootstrap), compiler_(*bootstrap.resources) {}

  std::vector<std::string> run() {
    if (bootstrap_.clusters_source) add_clusters();
    for (model::ClusterPlanPtr& cluster : bootstrap_.clusters) {
      if (cluster->discovery == model::Discovery::kEds) fill_endpoints(cluster);
    }
    if (bootstrap_.listeners_source) add_listeners();
    for (const model::ListenerPlanPtr& listener : bootstrap_.listeners) {
      for (const model::FilterChainPlanPtr& chain : listener->chains) fill(chain->needs);
    }
    return std::move(notes_);
  }

 private:
  // Nothing: it stays unknown, and was noted.
  std::optional<config::ResourceUpdate> read(const std::string& what, const ConfigSource& source) {
    if (source.kind != ConfigSource::Kind::kFile) {
      notes_.push_back(cat(what, ": only the control plane knows"));
      return std::nullopt;
    }
    std::ifstream in(source.path, std::ios::binary);
    if (!in) {
      notes_.push_back(cat(what, ": ", source.path, " cannot be read"));
      return std::nullopt;
    }
    config::ResourceUpdate out;
    out.complete = true;
    out.file = source.path;
    out.text.assign(std::istreambuf_iterator<char>(in), {});
    return out;
  }
  template <typename Plan>
  void tell(const std::string& what, const config::Batch<Plan>& batch) {
    if (batch.verdict != Verdict::kTaken) notes_.push_back(cat(what, ": ", batch.why));
  }
  template <typename Plan>
  static bool counts(const config::Batch<Plan>& batch) {
    return batch.verdict == Verdict::kTaken || batch.verdict == Verdict::kPartly;
  }

  void add_clusters() {
    const auto update = read("clusters", bootstrap_.clusters_source);
    if (!update) return;
    auto batch = compiler_.clusters(*update);
    tell("clusters", batch);
    if (!counts(batch)) return;
    for (auto& one : batch.resources) {
      if (one.plan == nullptr) continue;
      compiler_.add_cluster(one.name);
      bootstrap_.clusters.push_back(std::move(one.plan));
    }
  }

  void fill_endpoints(model::ClusterPlanPtr& cluster) {
    const std::string what = cat("endpoints of '", cluster->eds->service_name, "'");
    const auto update = read(what, cluster->eds->source);
    if (!update) return;
    auto batch = compiler_.assignments(*update, cluster->name);
    tell(what, batch);
    for (auto& one : batch.resources) {
      if (!counts(batch) || one.plan == nullptr || one.name != cluster->eds->service_name) continue;
      auto known = std::make_shared<model::ClusterPlan>(*cluster);
      known->assignment = std::move(one.plan);
      cluster = std::move(known);
    }
  }

  void add_listeners() {
    const auto update = read("listeners", bootstrap_.listeners_source);
    if (!update) return;
    auto batch = compiler_.listeners(*update);
    tell("listeners", batch);
    if (!counts(batch)) return;
    for (auto& one : batch.resources) {
      if (one.plan != nullptr) bootstrap_.listeners.push_back(std::move(one.plan));
    }
  }

  void fill(const model::ChainNeeds& needs) {
    for (const model::RouteSubscription& table : needs.routes) fill(table.name, table.source, *table.slot);
    for (const model::ScopeSubscription& scopes : needs.scopes) fill(scopes);
    for (const model::ExtensionSubscription& filter : needs.extensions) fill(filter);
  }

  void fill(const std::string& name, const ConfigSource& source, model::RouteSlot& slot) {
    if (slot.filled()) return;
    const std::string what = cat("routes '", name, "'");
    const auto update = read(what, source);
    if (!update) return;
    auto batch = compiler_.routes(*update);
    tell(what, batch);
    for (auto& one : batch.resources) {
      if (counts(batch) && one.plan != nullptr && one.name == name) slot.publish(std::move(one.plan));
    }
    if (!slot.filled()) notes_.push_back(cat(what, ": there is no table of that name in ", source.path));
  }

  void fill(const model::ScopeSubscription& wanted) {
    const std::string what = cat("scopes '", wanted.name, "'");
    const auto update = read(what, wanted.source);
    if (!update) return;
    auto batch = compiler_.scopes(*update);
    tell(what, batch);
    if (batch.verdict != Verdict::kTaken) return;
    auto tables = std::make_shared<model::ScopeTables>();
    for (auto& one : batch.resources) {
      std::shared_ptr<model::RouteSlot> slot;
      if (!one.plan->routes.empty()) {
        slot = bootstrap_.route_slots->slot(wanted.tables, one.plan->routes);
        fill(one.plan->routes, wanted.tables, *slot);
      }
      tables->targets[one.plan->key] = {one.plan->table, std::move(slot)};
    }
    wanted.routes->tables.publish(std::move(tables));
  }

  void fill(const model::ExtensionSubscription& wanted) {
    const std::string what = cat("filter '", wanted.name, "'");
    if (const auto update = read(what, wanted.source)) {
      auto batch = compiler_.filters(*update, wanted.types);
      tell(what, batch);
      for (auto& one : batch.resources) {
        if (!counts(batch) || one.plan == nullptr || one.name != wanted.name) continue;
        wanted.slot->publish(std::move(one.plan));
        return;
      }
    }
    if (wanted.fallback != nullptr) wanted.slot->publish(wanted.fallback);
  }

  config::CompiledBootstrap& bootstrap_;
  config::ResourceCompiler& compiler_;
  std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::string> read_discovered_files(config::CompiledBootstrap& bootstrap) { return Files(bootstrap).run(); }

}  // namespace sluice::explain
