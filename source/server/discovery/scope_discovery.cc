#include "server/discovery/scope_discovery.h"

#include <set>
#include <utility>

#include "base/strings.h"

namespace sluice::server {

using config::Verdict;

ScopeDiscovery::ScopeDiscovery(const model::ScopeSubscription& wanted, RouteDiscovery& routes, model::RouteSlots& slots,
                               const DiscoveryTools& tools, Function<void()> on_known)
    : wanted_(wanted),
      routes_(routes),
      slots_(slots),
      tools_(tools),
      on_known_(std::move(on_known)),
      counts_(cat("http.", wanted.stat_prefix, ".scoped_rds.", wanted.name, "."), wanted.source, tools,
              DiscoveryCounts::Reloads::kCounted),
      scopes_id_(tools.registry.add_block<stats::ScopeStat>(
          cat("http.", wanted.stat_prefix, ".scoped_rds.", wanted.name, "."))),
      scopes_block_(tools.cells.block<stats::ScopeStat>(scopes_id_)) {
  subscription_ = tools.subscriber.subscribe(
      wanted.source, interest_in_all(config::ResourceType::kScopedRoutes, wanted.source), *this);
}

ScopeDiscovery::~ScopeDiscovery() {
  for (const auto& [name, scope] : scopes_) {
    if (scope.table) {
      routes_.forget(*scope.table);
    }
  }
  tools_.registry.release_block(scopes_id_);
}

std::string ScopeDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::Batch<config::ScopeConfig> batch = tools_.compiler.scopes(update);
  if (batch.verdict == Verdict::kTaken) {
    if (std::string why = check(update, batch); !why.empty()) {
      batch.verdict = Verdict::kRejected;
      batch.why = std::move(why);
    }
  } else if (batch.verdict == Verdict::kPartly) {
    batch.verdict = Verdict::kRejected;
  }
  counts_.count(batch.verdict, batch.version);
  std::string answer = tell(cat("scopes of '", wanted_.name, "'"), batch, tools_);
  if (batch.verdict == Verdict::kTaken) {
    apply(update, batch);
  } else if (batch.verdict == Verdict::kRejected) {
    known();
  }
  return answer;
}

// Two scopes with one key: which one is meant?
std::string ScopeDiscovery::check(const config::ResourceUpdate& update,
                                  const config::Batch<config::ScopeConfig>& batch) const {
  std::map<std::vector<std::string>, std::string> keys;
  std::set<std::string> named(update.removed.begin(), update.removed.end());
  for (const auto& one : batch.resources) {
    named.insert(one.name);
    const auto [other, fresh] = keys.emplace(one.plan->key, one.name);
    if (!fresh) {
      return cat("the scopes '", other->second, "' and '", one.name, "' have the same key");
    }
  }
  for (const auto& [name, scope] : scopes_) {
    if (update.complete || named.contains(name)) {
      continue;
    }
    if (const auto other = keys.find(scope.config.key); other != keys.end()) {
      return cat("the scopes '", name, "' and '", other->second, "' have the same key");
    }
  }
  return {};
}

void ScopeDiscovery::apply(const config::ResourceUpdate& update, config::Batch<config::ScopeConfig>& batch) {
  tools_.subscriber.pause(config::ResourceType::kRoutes);
  std::set<std::string> named;
  for (auto& one : batch.resources) {
    named.insert(one.name);
    if (const auto old = scopes_.find(one.name); old != scopes_.end() && old->second.bytes == one.bytes) {
      continue;
    }
    Scope fresh{*one.plan, std::move(one.bytes), std::nullopt};
    if (!fresh.config.routes.empty()) {
      fresh.table = model::RouteSubscription{fresh.config.routes, wanted_.stat_prefix, wanted_.tables,
                                             slots_.slot(wanted_.tables, fresh.config.routes)};
      routes_.follow(*fresh.table);
    }
    drop(one.name);
    scopes_.emplace(one.name, std::move(fresh));
  }
  std::vector<std::string> gone = update.removed;
  for (const auto& [name, scope] : scopes_) {
    if (update.complete && !named.contains(name)) {
      gone.push_back(name);
    }
  }
  for (const std::string& name : gone) {
    drop(name);
  }
  version_ = batch.version;
  updated_ = tools_.loop.wall_now();
  publish();
  tools_.subscriber.resume(config::ResourceType::kRoutes);
  auto waits = std::make_shared<size_t>(1);
  const auto one_known = [this, waits, alive = std::weak_ptr(alive_)] {
    if (!alive.expired() && --*waits == 0) {
      known();
    }
  };
  for (const auto& [name, scope] : scopes_) {
    if (scope.table) {
      ++*waits;
      routes_.when_known(*scope.table, one_known);
    }
  }
  one_known();
}

void ScopeDiscovery::drop(const std::string& name) {
  const auto found = scopes_.find(name);
  if (found == scopes_.end()) {
    return;
  }
  if (found->second.table) {
    routes_.forget(*found->second.table);
  }
  scopes_.erase(found);
}

void ScopeDiscovery::publish() {
  auto tables = std::make_shared<model::ScopeTables>();
  uint64_t active = 0;  // those whose table is discovered too
  for (const auto& [name, scope] : scopes_) {
    tables->targets[scope.config.key] = {scope.config.table, scope.table ? scope.table->slot : nullptr};
    active += scope.table ? 1 : 0;
  }
  scopes_block_.set(stats::ScopeStat::kAllScopes, scopes_.size());
  scopes_block_.set(stats::ScopeStat::kActiveScopes, active);
  tools_.fence.behind(
      [routes = wanted_.routes, tables = std::move(tables)]() mutable { routes->tables.publish(std::move(tables)); });
  counts_.reloaded();
}

void ScopeDiscovery::on_rejected(std::string_view) {
  counts_.count(Verdict::kRejected, {});
  known();
}

void ScopeDiscovery::on_timeout() {
  counts_.timed_out();
  known();
}

void ScopeDiscovery::known() {
  if (Function<void()> hook = std::exchange(on_known_, nullptr)) {
    hook();
  }
}

ScopesVersion ScopeDiscovery::version() const {
  ScopesVersion out{wanted_.name, version_, {}, updated_};
  for (const auto& [name, scope] : scopes_) {
    out.bytes.push_back(scope.bytes);
  }
  return out;
}

}  // namespace sluice::server
