// Timestamps of the event logs.
#pragma once

#include <string>

#include "base/civil_time.h"

namespace sluice::upstream {

// As protobuf prints them in JSON: "2024-01-31T23:59:59.123Z".
inline std::string timestamp_text(WallTime time) {
  std::string out;
  append_time(out, "%Y-%m-%dT%H:%M:%S.%3fZ", utc(time));
  return out;
}

}  // namespace sluice::upstream
