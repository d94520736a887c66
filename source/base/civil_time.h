// Calendar time: what a WallTime is called in UTC or in the machine's time zone, and strftime-like text of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace sluice {

// A moment as a calendar shows it. A value. Thread: any.
struct CivilTime {
  int64_t unix_seconds = 0;
  int64_t nanoseconds = 0;  // within the second
  int32_t year = 1970;
  int32_t month = 1;  // 1..12
  int32_t day = 1;    // 1..31
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t weekday = 4;   // 0 is Sunday
  int32_t yearday = 0;   // 0..365
  int32_t offset_s = 0;  // east of UTC
  char zone[8] = "UTC";
};

CivilTime utc(WallTime time);
// In the zone of the machine (TZ, /etc/localtime).
CivilTime local(WallTime time);

// strftime in the C locale, with what Envoy adds: %s (also %3s, %6s, %9s) is the Unix time in seconds, %f and %1f..%9f
// the fraction with so many digits (nine without a number), and of abseil's %Ez, %E#S, %E#f (# is 1..9 or *), %ET, %E4Y.
// Anything else is text. Appends without allocation beyond `to`.
void append_time(std::string& to, std::string_view format, const CivilTime& time);

}  // namespace sluice
