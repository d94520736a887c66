// Names of zones that outlive every assignment, so that a worker may look at that of any host at any time.
#pragma once

#include <cstddef>
#include <string>

namespace sluice::upstream {

// Control planes choose the names: above so many a new one is as none.
inline constexpr size_t kMostZones = 1000;

// Stays for ever, one for each name. Null: no zone, or one too many. Thread: main.
const std::string* zone_name(const std::string& zone);

}  // namespace sluice::upstream
