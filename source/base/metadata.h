// Metadata: maps of values under namespaces ("envoy.lb"). Of configuration (routes, clusters, hosts), or dynamic: what
// the filters of one exchange tell each other, the routes and the logs.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/advanced/well_known_dynamic_metadata
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/value.h"

namespace sluice {

// Thread: its owner's; of configuration: any (immutable).
class Metadata {
 public:
  bool empty() const { return spaces_.empty(); }
  // The map of a namespace; null when there is none.
  const Value* find(std::string_view space) const { return spaces_.find(space); }
  // The value at the end of the path; null when a key is missing or something on the way is no map.
  template <typename Path>
  const Value* find(std::string_view space, const Path& path) const {
    const Value* at = find(space);
    for (const auto& key : path) {
      if (at == nullptr || at->as_map() == nullptr) return nullptr;
      at = at->as_map()->find(key);
    }
    return at;
  }
  // Made when there is none.
  Value::Map& space(std::string_view name) {
    Value& value = spaces_[name];
    if (value.as_map() == nullptr) value = Value(Value::Map());
    return *value.as_map();
  }
  void set(std::string_view space_name, std::string_view key, Value value) {
    space(space_name).set(key, std::move(value));
  }
  const Value::Map& spaces() const { return spaces_; }

 private:
  Value::Map spaces_;
};

// Of configuration: shared by all workers; null when there is none.
using MetadataPtr = std::shared_ptr<const Metadata>;

}  // namespace sluice
