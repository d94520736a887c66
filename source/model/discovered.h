// What a compiled listener waits for and follows while it serves: parts of its configuration that come from elsewhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/config_source.h"
#include "model/slot.h"

namespace sluice::model {

class FilterConfig;
class RouteTable;
class ScopedRoutes;

using RouteSlot = Slot<RouteTable>;
using FilterSlot = Slot<FilterConfig>;

// The rds of a connection manager, or of a scope. A plain value.
struct RouteSubscription {
  std::string name;         // of the RouteConfiguration
  std::string stat_prefix;  // of the connection manager that named it first
  ConfigSource source;
  std::shared_ptr<RouteSlot> slot;
};

// The scoped_rds of a connection manager. A plain value.
struct ScopeSubscription {
  std::string name;         // of the scoped routes
  std::string stat_prefix;  // of the connection manager
  ConfigSource source;      // of the scopes,
  ConfigSource tables;      // and of the tables that they name
  std::shared_ptr<ScopedRoutes> routes;
};

// The config_discovery of an HTTP filter. A plain value.
struct ExtensionSubscription {
  std::string name;  // of the filter, and of the resource
  ConfigSource source;
  std::vector<std::string> types;                // that it may be, by full name
  std::shared_ptr<const FilterConfig> fallback;  // default_config; null: none
  bool waits = true;                             // false: the fallback serves until something comes
  std::shared_ptr<FilterSlot> slot;
};

// Of one filter chain. A plain value.
struct ChainNeeds {
  std::vector<RouteSubscription> routes;
  std::vector<ScopeSubscription> scopes;
  std::vector<ExtensionSubscription> extensions;
};

// The slots that are in use: whoever wants the same table from the same source shares one. Thread: main.
class RouteSlots {
 public:
  std::shared_ptr<RouteSlot> slot(const ConfigSource& source, const std::string& name) {
    auto& known = slots_[name];
    std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [from, weak] : known) {
      if (from == source) {
        if (auto slot = weak.lock()) return slot;
      }
    }
    auto slot = std::make_shared<RouteSlot>();
    known.emplace_back(source, slot);
    if (slots_.size() >= sweep_at_) sweep();
    return slot;
  }

 private:
  // Names come and go for as long as the process runs.
  void sweep() {
    std::erase_if(slots_, [](const auto& entry) {
      return std::all_of(entry.second.begin(), entry.second.end(),
                         [](const auto& one) { return one.second.expired(); });
    });
    sweep_at_ = std::max<size_t>(64, slots_.size() * 2);
  }

  std::map<std::string, std::vector<std::pair<ConfigSource, std::weak_ptr<RouteSlot>>>> slots_;
  size_t sweep_at_ = 64;
};

}  // namespace sluice::model
