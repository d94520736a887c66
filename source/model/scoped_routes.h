// ScopedRoutes: route tables by a key that is cut out of request headers.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/http/http_routing#route-scope
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "model/route_table.h"

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

// Thread: any (immutable).
class ScopedRoutes {
 public:
  std::vector<ScopeFragment> fragments;
  std::map<std::vector<std::string>, RouteTablePtr> tables;

  // Null when a part is missing, or no table has that key.
  const RouteTable* find(const http::RequestHeaders& request) const;
};

}  // namespace sluice::model
