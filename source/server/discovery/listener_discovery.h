// ListenerDiscovery: LDS, and what listeners wait for and follow (route tables), also those of the bootstrap.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "server/discovery/counts.h"
#include "server/discovery/extension_discovery.h"
#include "server/discovery/route_discovery.h"
#include "server/discovery/scope_discovery.h"
#include "server/listeners.h"

namespace sluice::server {

// What discovery gives to listeners. Outlives them. Thread: main.
struct ListenerSources {
  RouteDiscovery& routes;
  model::RouteSlots& slots;
  const DiscoveryTools& tools;
};

// What one plan of a listener follows, from when it is wanted until it is replaced. Thread: main.
class ListenerFollowing {
 public:
  // `on_ready`: called once, perhaps at once, when all of it is known.
  ListenerFollowing(model::ListenerPlanPtr plan, const ListenerSources& sources, Function<void()> on_ready);
  ~ListenerFollowing();
  ListenerFollowing(const ListenerFollowing&) = delete;
  ListenerFollowing& operator=(const ListenerFollowing&) = delete;

  std::vector<ScopesVersion> scopes() const;
  std::vector<ExtensionVersion> extensions() const;

 private:
  // Whoever calls it later may find that this is gone.
  Function<void()> one_more();
  void known();

  const model::ListenerPlanPtr plan_;
  RouteDiscovery& routes_;
  Fence& fence_;
  Function<void()> on_ready_;
  size_t waits_ = 1;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::unique_ptr<ScopeDiscovery>> scopes_;
  std::vector<std::unique_ptr<ExtensionDiscovery>> extensions_;
};

// A listener that was discovered, for /config_dump. A plain value.
struct DiscoveredListener {
  struct State {
    std::string version, bytes;  // no bytes: there is none in this state
    WallTime updated{};
  };
  State active, warming, draining;
  std::string failed;  // bytes of what was refused last; empty: nothing since it was taken last
  std::string why;
  WallTime failed_at{};
};

// Owned by the server. Thread: main.
class ListenerDiscovery final : private config::ResourceUser {
 public:
  // What a listener followed it follows on for `drain_time` after it was replaced or removed.
  ListenerDiscovery(Listeners& listeners, RouteDiscovery& routes, model::RouteSlots& slots, const DiscoveryTools& tools,
                    Duration drain_time);
  ~ListenerDiscovery();

  // A listener of the bootstrap, which Listeners has.
  void follow(const model::ListenerPlanPtr& plan);
  // `on_known`: called once, when the first answer was applied, was refused, or did not come in time.
  void start(const model::ConfigSource& source, Function<void()> on_known);
  // Told whenever one became ready.
  void on_ready(Function<void()> hook) { on_ready_ = std::move(hook); }
  void clear();

  const std::string& version() const { return version_; }
  std::map<std::string, DiscoveredListener> dump() const;
  std::vector<ScopesVersion> scopes() const;
  std::vector<ExtensionVersion> extensions() const;

 private:
  struct One;

  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view) override;
  void on_timeout() override;
  bool apply(const config::ResourceUpdate& update, config::Batch<model::ListenerPlan>& batch);
  bool remove(const std::string& name);
  bool take(config::Compiled<model::ListenerPlan>& one, std::string& why);
  void refuse(const std::string& name, const std::string& bytes, const std::string& why);
  void wait_for(const std::string& name, const model::ListenerPlanPtr& plan);
  void ready(const std::string& name, const ListenerFollowing* following);
  void drain(One& one);
  // Notes in the history what drains, if a push is the cause.
  OnDrained note_drained(uint64_t push, const std::string& name);
  void forget_gone();
  void known();

  // Thread: main.
  struct Draining {
    std::unique_ptr<ListenerFollowing> following;
    std::unique_ptr<event::Timer> end;
  };

  Listeners& listeners_;
  const ListenerSources sources_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  Function<void()> on_ready_;
  std::string version_;
  const Duration drain_time_;
  std::map<std::string, std::unique_ptr<One>> ones_;
  std::list<Draining> draining_;
  std::unique_ptr<DiscoveryCounts> counts_;
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
