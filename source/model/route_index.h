// RouteIndex: finds the routes of a virtual host that a path may match, so that the first match of a long list costs as
// much as of a short one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/text_index.h"

namespace sluice::model {

struct Route;

// Thread: any (immutable once built).
class RouteIndex {
 public:
  // Below this many routes a look-up walks the list: 90 instructions for each that does not match.
  static constexpr size_t kWorthIt = 6;

  // The routes must stay where they are.
  void build(std::span<const Route> routes);

  // The lowest number of a route for which holds(number) is true, of those whose path condition can hold; `size` when
  // there is none. holds() may be asked about routes behind the one that is found, and is asked about none twice.
  template <typename Holds>
  uint32_t first(std::string_view path, uint32_t size, Holds&& holds) const {
    uint32_t best = size;
    const auto look = [&](std::span<const uint32_t> routes) {
      for (const uint32_t route : routes) {
        if (route >= best) return;
        if (holds(route)) {
          best = route;
          return;
        }
      }
    };
    if (!built_) {
      for (uint32_t route = 0; route < size; ++route) {
        if (holds(route)) return route;
      }
      return size;
    }
    look(exact_.find(path));
    prefixes_.visit_prefixes(path, [&](std::span<const uint32_t> routes, size_t) { look(routes); });
    look(others_);
    return best;
  }

 private:
  bool built_ = false;
  TextIndex exact_;
  TextIndex prefixes_;
  std::vector<uint32_t> others_;  // regular expressions, paths without case, CONNECT
};

}  // namespace sluice::model
