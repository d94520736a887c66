// ScopedRoutes: route tables by a key that is cut out of request headers.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/http/http_routing#route-scope
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "model/discovered.h"
#include "model/route_table.h"
#include "model/slot.h"

namespace sluice::model {

// One part of the key: an element of the first line of a header. Thread: any (immutable).
struct ScopeFragment {
  std::string header;             // lower case
  std::string element_separator;  // empty: the value is one element
  std::optional<uint32_t> index;  // which element; or:
  std::string key, separator;     // the first "KEY SEPARATOR VALUE" among them

  // Null data when there is none.
  std::string_view cut(const http::RequestHeaders& request) const;
};

// Where a scope leads: to a table of its own, or to one that an rds fills. Thread: any.
struct ScopeTarget {
  RouteTablePtr table;
  std::shared_ptr<const RouteSlot> slot;

  RouteTablePtr now() const { return slot == nullptr ? table : slot->read(); }
};

// The scopes by key, as they are at one time. Immutable. Thread: any.
struct ScopeTables {
  std::map<std::vector<std::string>, ScopeTarget> targets;
};

// Thread: any (immutable but for its slot).
class ScopedRoutes {
 public:
  std::vector<ScopeFragment> fragments;
  Slot<ScopeTables> tables;  // filled at once by a list of scopes, later by srds

  // Null when a part is missing, no scope has that key, or its table has not come yet.
  RouteTablePtr find(const http::RequestHeaders& request) const;
};

}  // namespace sluice::model
