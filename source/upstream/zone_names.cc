#include "upstream/zone_names.h"

#include <set>

namespace sluice::upstream {

const std::string* zone_name(const std::string& zone) {
  static auto& names = *new std::set<std::string>;
  if (zone.empty()) return nullptr;
  if (const auto found = names.find(zone); found != names.end()) return &*found;
  return names.size() < kMostZones ? &*names.insert(zone).first : nullptr;
}

}  // namespace sluice::upstream
