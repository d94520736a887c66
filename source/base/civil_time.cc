#include "base/civil_time.h"

#include <charconv>
#include <ctime>

namespace sluice {
namespace {

constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};

void number(std::string& to, int64_t value, int width, char fill = '0') {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  to.append(width > end - digits ? static_cast<size_t>(width - (end - digits)) : 0, fill);
  to.append(digits, static_cast<size_t>(end - digits));
}

void fraction(std::string& to, const CivilTime& time, int digits) {
  char all[9];
  int64_t rest = time.nanoseconds;
  for (int i = 8; i >= 0; --i) {
    all[i] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  to.append(all, static_cast<size_t>(digits));
}

// As many digits as the moment has, none when it is a whole second.
int significant_digits(const CivilTime& time) {
  int digits = 9;
  for (int64_t rest = time.nanoseconds; digits > 0 && rest % 10 == 0; rest /= 10) {
    --digits;
  }
  return digits;
}

void offset(std::string& to, const CivilTime& time, bool colon) {
  const int32_t minutes = (time.offset_s < 0 ? -time.offset_s : time.offset_s) / 60;
  to += time.offset_s < 0 ? '-' : '+';
  number(to, minutes / 60, 2);
  if (colon) {
    to += ':';
  }
  number(to, minutes % 60, 2);
}

int32_t hour12(const CivilTime& time) { return time.hour % 12 == 0 ? 12 : time.hour % 12; }
int32_t weekday_from_monday(const CivilTime& time) { return (time.weekday + 6) % 7; }

bool leap(int32_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

struct IsoWeek {
  int32_t year;
  int32_t week;
};

IsoWeek iso_week(const CivilTime& time) {
  const int32_t week = (time.yearday - weekday_from_monday(time) + 10) / 7;
  const auto weeks_in = [&](int32_t year) {
    const auto p = [](int32_t y) { return (y + y / 4 - y / 100 + y / 400) % 7; };
    return p(year) == 4 || p(year - 1) == 3 ? 53 : 52;
  };
  if (week < 1) {
    return {time.year - 1, weeks_in(time.year - 1)};
  }
  if (week > weeks_in(time.year)) {
    return {time.year + 1, 1};
  }
  return {time.year, week};
}

// One conversion; false when the letter is none.
bool convert_date(std::string& to, char letter, const CivilTime& time) {
  switch (letter) {
    case 'a': to += kDays[time.weekday].substr(0, 3); return true;
    case 'A': to += kDays[time.weekday]; return true;
    case 'b':
    case 'h': to += kMonths[time.month - 1].substr(0, 3); return true;
    case 'B': to += kMonths[time.month - 1]; return true;
    case 'c': append_time(to, "%a %b %e %H:%M:%S %Y", time); return true;
    case 'C': number(to, time.year / 100, 2); return true;
    case 'd': number(to, time.day, 2); return true;
    case 'D':
    case 'x': append_time(to, "%m/%d/%y", time); return true;
    case 'e': number(to, time.day, 2, ' '); return true;
    case 'F': append_time(to, "%Y-%m-%d", time); return true;
    case 'g': number(to, iso_week(time).year % 100, 2); return true;
    case 'G': number(to, iso_week(time).year, 1); return true;
    case 'j': number(to, time.yearday + 1, 3); return true;
    case 'm': number(to, time.month, 2); return true;
    case 'u': number(to, time.weekday == 0 ? 7 : time.weekday, 1); return true;
    case 'U': number(to, (time.yearday + 7 - time.weekday) / 7, 2); return true;
    case 'V': number(to, iso_week(time).week, 2); return true;
    case 'w': number(to, time.weekday, 1); return true;
    case 'W': number(to, (time.yearday + 7 - weekday_from_monday(time)) / 7, 2); return true;
    case 'y': number(to, time.year % 100, 2); return true;
    case 'Y': number(to, time.year, 1); return true;
    default: return false;
  }
}

bool convert_time(std::string& to, char letter, const CivilTime& time) {
  switch (letter) {
    case 'H': number(to, time.hour, 2); return true;
    case 'I': number(to, hour12(time), 2); return true;
    case 'k': number(to, time.hour, 2, ' '); return true;
    case 'l': number(to, hour12(time), 2, ' '); return true;
    case 'M': number(to, time.minute, 2); return true;
    case 'p': to += time.hour < 12 ? "AM" : "PM"; return true;
    case 'P': to += time.hour < 12 ? "am" : "pm"; return true;
    case 'r': append_time(to, "%I:%M:%S %p", time); return true;
    case 'R': append_time(to, "%H:%M", time); return true;
    case 'S': number(to, time.second, 2); return true;
    case 'T':
    case 'X': append_time(to, "%H:%M:%S", time); return true;
    case 's': number(to, time.unix_seconds, 1); return true;
    case 'f': fraction(to, time, 9); return true;
    case 'z': offset(to, time, false); return true;
    case 'Z': to += time.zone; return true;
    case 'n': to += '\n'; return true;
    case 't': to += '\t'; return true;
    case '%': to += '%'; return true;
    default: return false;
  }
}

// %E..., with `rest` behind the E. Returns how many characters of it were used, 0 when it is none.
size_t convert_extended(std::string& to, std::string_view rest, const CivilTime& time) {
  if (rest.starts_with('z')) {
    offset(to, time, true);
    return 1;
  }
  if (rest.starts_with('T')) {
    to += 'T';
    return 1;
  }
  if (rest.starts_with("4Y")) {
    number(to, time.year, 4);
    return 2;
  }
  const bool digit = !rest.empty() && (rest[0] == '*' || (rest[0] >= '1' && rest[0] <= '9'));
  if (rest.size() < 2 || !digit || (rest[1] != 'S' && rest[1] != 'f')) {
    return 0;
  }
  const int digits = rest[0] == '*' ? significant_digits(time) : rest[0] - '0';
  if (rest[1] == 'S') {
    number(to, time.second, 2);
    if (digits != 0) {
      to += '.';
    }
  }
  fraction(to, time, rest[1] == 'f' && digits == 0 ? 1 : digits);
  return 2;
}

// Fills the calendar fields for `seconds` counted in the zone itself. Days to civil date after H. Hinnant.
void fill(CivilTime& out, int64_t seconds) {
  int64_t days = seconds / 86400;
  int64_t in_day = seconds % 86400;
  if (in_day < 0) {
    in_day += 86400;
    --days;
  }
  out.hour = static_cast<int32_t>(in_day / 3600);
  out.minute = static_cast<int32_t>(in_day / 60 % 60);
  out.second = static_cast<int32_t>(in_day % 60);
  out.weekday = static_cast<int32_t>(((days + 4) % 7 + 7) % 7);
  const int64_t shifted = days + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  out.day = static_cast<int32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  out.month = static_cast<int32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  out.year = static_cast<int32_t>(year_of_era + era * 400 + (out.month <= 2 ? 1 : 0));
  constexpr int32_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  out.yearday = kBefore[out.month - 1] + out.day - 1 + (out.month > 2 && leap(out.year) ? 1 : 0);
}

}  // namespace

CivilTime utc(WallTime time) {
  int64_t seconds = time.us / 1'000'000;
  int64_t us = time.us % 1'000'000;
  if (us < 0) {
    us += 1'000'000;
    --seconds;
  }
  CivilTime out;
  out.unix_seconds = seconds;
  out.nanoseconds = us * 1000;
  fill(out, seconds);
  return out;
}

CivilTime local(WallTime time) {
  CivilTime out = utc(time);
  const auto seconds = static_cast<time_t>(out.unix_seconds);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) != nullptr) {
    out.offset_s = static_cast<int32_t>(parts.tm_gmtoff);
    const size_t letters = std::string_view(parts.tm_zone).copy(out.zone, sizeof(out.zone) - 1);
    out.zone[letters] = '\0';
    fill(out, out.unix_seconds + out.offset_s);
  }
  return out;
}

void append_time(std::string& to, std::string_view format, const CivilTime& time) {
  while (!format.empty()) {
    const size_t percent = format.find('%');
    to += format.substr(0, percent);
    if (percent == std::string_view::npos) {
      return;
    }
    format.remove_prefix(percent + 1);
    if (format.empty()) {
      to += '%';
      return;
    }
    const char letter = format[0];
    const char next = format.size() > 1 ? format[1] : '\0';
    size_t used = 1;
    if (letter >= '1' && letter <= '9' && (next == 'f' || next == 's')) {
      next == 'f' ? fraction(to, time, letter - '0') : number(to, time.unix_seconds, 1);
      used = 2;
    } else if (letter == 'E') {
      const size_t extended = convert_extended(to, format.substr(1), time);
      if (extended == 0) {
        to += "%E";
      }
      used = 1 + extended;
    } else if (!convert_date(to, letter, time) && !convert_time(to, letter, time)) {
      to += '%';
      used = 0;
    }
    format.remove_prefix(used);
  }
}

}  // namespace sluice
