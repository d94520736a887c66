// Time as the data path sees it: monotonic nanoseconds that come from the Loop (event/loop.h), never from the
// system clock directly, so that a simulation can run in virtual time. Wall-clock time is for logs and headers.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

using Duration = std::chrono::nanoseconds;

// Nanoseconds since an origin that means nothing. Thread: any.
struct MonotonicTime {
  int64_t ns = 0;

  friend auto operator<=>(const MonotonicTime&, const MonotonicTime&) = default;
  friend MonotonicTime operator+(MonotonicTime t, Duration d) { return {t.ns + d.count()}; }
  friend Duration operator-(MonotonicTime a, MonotonicTime b) { return Duration(a.ns - b.ns); }
};

// Microseconds since 1970-01-01 UTC. Thread: any.
struct WallTime {
  int64_t us = 0;

  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

inline int64_t to_ms(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

}  // namespace sluice
