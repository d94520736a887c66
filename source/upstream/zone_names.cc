#include "upstream/zone_names.h"

#include <array>
#include <map>

namespace sluice::upstream {
namespace {

// By number less one. What is there stays as it is, so it may be read while others are added.
std::array<std::string, kMostZones>& known_zones() {
  static auto& zones = *new std::array<std::string, kMostZones>;
  return zones;
}

}  // namespace

uint32_t zone_number(const std::string& zone) {
  static auto& numbers = *new std::map<std::string, uint32_t>;
  if (zone.empty()) return 0;
  if (const auto found = numbers.find(zone); found != numbers.end()) return found->second;
  if (numbers.size() == kMostZones) return 0;
  known_zones()[numbers.size()] = zone;
  const auto number = static_cast<uint32_t>(numbers.size() + 1);
  numbers.emplace(zone, number);
  return number;
}

const std::string& zone_name(uint32_t number) { return known_zones()[number - 1]; }

}  // namespace sluice::upstream
