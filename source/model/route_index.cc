#include "model/route_index.h"

#include "model/route_table.h"

namespace sluice::model {

void RouteIndex::build(std::span<const Route> routes) {
  if (routes.size() < kWorthIt) return;
  for (uint32_t i = 0; i < routes.size(); ++i) {
    const RouteMatch& match = routes[i].match;
    const bool prefix = match.kind == PathKind::kPrefix || match.kind == PathKind::kSeparatedPrefix;
    if (match.case_sensitive && match.kind == PathKind::kExact) {
      exact_.add(match.path, i);
    } else if (match.case_sensitive && prefix) {
      prefixes_.add(match.path, i);
    } else {
      others_.push_back(i);
    }
  }
  exact_.build();
  prefixes_.build();
  built_ = true;
}

}  // namespace sluice::model
