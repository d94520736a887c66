// Names of zones that outlive every assignment, so that a worker may look at that of any host at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::upstream {

// Control planes choose the names: above so many a new one is as none.
inline constexpr size_t kMostZones = 1000;

// The same for ever. 0: no zone, or one too many. Thread: main.
uint32_t zone_number(const std::string& zone);
// Of a number above 0 that was handed out before. Thread: any.
const std::string& zone_name(uint32_t number);

}  // namespace sluice::upstream
