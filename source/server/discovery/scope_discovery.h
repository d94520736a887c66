// ScopeDiscovery: SRDS of one connection manager, and the route tables that its scopes name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "model/scoped_routes.h"
#include "server/discovery/counts.h"
#include "server/discovery/route_discovery.h"

namespace sluice::server {

// The scopes in force, for /config_dump. A plain value.
struct ScopesVersion {
  std::string name, version;
  std::vector<std::string> bytes;  // of each scope
  WallTime updated{};
};

// Owned by what follows its listener; ends with it. Thread: main.
class ScopeDiscovery final : private config::ResourceUser {
 public:
  // `on_known`: called once: the scopes came with their tables, were refused, or did not come in time.
  ScopeDiscovery(const model::ScopeSubscription& wanted, RouteDiscovery& routes, model::RouteSlots& slots,
                 const DiscoveryTools& tools, Function<void()> on_known);
  ~ScopeDiscovery();

  ScopesVersion version() const;

 private:
  struct Scope {
    config::ScopeConfig config;
    std::string bytes;
    std::optional<model::RouteSubscription> table;  // by rds
  };

  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override;
  std::string check(const config::ResourceUpdate& update, const config::Batch<config::ScopeConfig>& batch) const;
  void apply(const config::ResourceUpdate& update, config::Batch<config::ScopeConfig>& batch);
  void drop(const std::string& name);
  void publish();
  void known();

  const model::ScopeSubscription wanted_;
  RouteDiscovery& routes_;
  model::RouteSlots& slots_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  std::map<std::string, Scope> scopes_;
  std::string version_;
  WallTime updated_{};
  DiscoveryCounts counts_;
  const stats::BlockId scopes_id_;
  stats::Block<stats::ScopeStat> scopes_block_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
