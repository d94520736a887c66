// Durations and timestamps: how they are written, and their parts.
// https://github.com/google/cel-spec/blob/master/doc/langdef.md#timezones (and RFC 3339)
#include <algorithm>

#include "base/strings.h"
#include "cel/functions.h"

namespace sluice::cel {
namespace {

using Kind = Value::Kind;
using Arguments = std::span<const Value>;

constexpr int64_t kNanoseconds = 1'000'000'000;
constexpr int64_t kDay = 86'400;
constexpr int64_t kLongest = 315'576'000'000;  // seconds of a duration: ten thousand years

// ---- calendar (proleptic Gregorian)

struct Date {
  int64_t year = 1970;
  int64_t month = 1, day = 1;  // from 1
};

bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int64_t days_of_month(int64_t year, int64_t month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Days before the first of January of that year, since that of the year 1.
int64_t days_before(int64_t year) {
  const int64_t past = year - 1;
  return past * 365 + floor_divide(past, 4) - floor_divide(past, 100) + floor_divide(past, 400);
}

constexpr int64_t kDaysBefore1970 = 719'162;

int64_t day_number(Date date) {
  int64_t days = days_before(date.year) - kDaysBefore1970 + date.day - 1;
  for (int64_t month = 1; month < date.month; ++month) days += days_of_month(date.year, month);
  return days;
}

Date date_of(int64_t day) {
  constexpr int64_t kDaysOf400 = 146'097;
  Date date;
  date.year = floor_divide(day + kDaysBefore1970, kDaysOf400) * 400 + 1;
  day += kDaysBefore1970 - days_before(date.year);
  while (day >= (is_leap(date.year) ? 366 : 365)) day -= is_leap(date.year++) ? 366 : 365;
  while (day >= days_of_month(date.year, date.month)) day -= days_of_month(date.year, date.month++);
  date.day = day + 1;
  return date;
}

// ---- from text

// So many digits at the front, which go away; -1: there are none.
int64_t take_digits(std::string_view& text, size_t count) {
  int64_t number = 0;
  if (text.size() < count) return -1;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take_letter(std::string_view& text, char letter) {
  if (text.empty() || (text[0] | 0x20) != (letter | 0x20)) return false;
  text.remove_prefix(1);
  return true;
}

// Digits behind a point, of a unit that has so many nanoseconds.
int64_t take_fraction(std::string_view& text, int64_t unit) {
  int64_t digits = 0, scale = 1;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (scale <= INT64_MAX / 20 / unit) {
      digits = digits * 10 + (text[0] - '0');
      scale *= 10;
    }
    text.remove_prefix(1);
  }
  return digits * unit / scale;
}

std::optional<Seconds> read_timestamp(std::string_view text) {
  Date date;
  const auto part = [&](char before, size_t digits) {
    const bool there = before == '\0' || take_letter(text, before);
    return there ? take_digits(text, digits) : -1;
  };
  date.year = part('\0', 4);
  date.month = part('-', 2);
  date.day = part('-', 2);
  const int64_t hour = part('T', 2), minute = part(':', 2), second = part(':', 2);
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > days_of_month(date.year, date.month))
    return {};
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return {};
  int64_t fraction = 0;
  if (text.starts_with('.')) {
    const size_t before = text.size();
    text.remove_prefix(1);
    fraction = take_fraction(text, kNanoseconds);
    if (text.size() == before - 1) return {};
  }
  int64_t offset = 0;
  if (!take_letter(text, 'Z')) {
    const bool west = text.starts_with('-');
    if (!west && !text.starts_with('+')) return {};
    text.remove_prefix(1);
    const int64_t hours = take_digits(text, 2), minutes = part(':', 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return {};
    offset = (hours * 60 + minutes) * (west ? -60 : 60);
  }
  if (!text.empty()) return {};
  return Seconds{day_number(date) * kDay + hour * 3600 + minute * 60 + second - offset, static_cast<int32_t>(fraction)};
}

struct Unit {
  std::string_view name;
  int64_t seconds, nanoseconds;  // one of them
};
constexpr Unit kUnits[] = {{"ns", 0, 1},   {"us", 0, 1'000}, {"ms", 0, 1'000'000},
                           {"h", 3600, 0}, {"m", 60, 0},     {"s", 1, 0}};

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

// "1h30m", "-1.5s", "0".
std::optional<Seconds> read_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Seconds{};
  if (text.empty()) return {};
  Seconds sum{};
  while (!text.empty()) {
    const size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
    std::string_view digits = text.substr(0, length);
    text.remove_prefix(length);
    if (length > 18) return {};
    const int64_t count = length == 0 ? 0 : take_digits(digits, length);
    std::string_view fraction;
    if (text.starts_with('.')) {
      const size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
      fraction = text.substr(1, end - 1);
      text.remove_prefix(end);
    }
    const Unit* unit = length == 0 && fraction.empty() ? nullptr : take_unit(text);
    if (unit == nullptr) return {};
    int64_t nanoseconds =
        take_fraction(fraction, unit->seconds != 0 ? unit->seconds * kNanoseconds : unit->nanoseconds);
    if (unit->seconds != 0) {
      if (count > kLongest / unit->seconds) return {};
      sum.whole += count * unit->seconds;
    } else {
      const int64_t per_second = kNanoseconds / unit->nanoseconds;
      sum.whole += count / per_second;
      nanoseconds += count % per_second * unit->nanoseconds;
    }
    sum.whole += nanoseconds / kNanoseconds;
    const int64_t rest = sum.nanoseconds + nanoseconds % kNanoseconds;
    sum.whole += rest / kNanoseconds;
    sum.nanoseconds = static_cast<int32_t>(rest % kNanoseconds);
    if (sum.whole > kLongest || (sum.whole == kLongest && sum.nanoseconds != 0)) return {};
  }
  if (!negative) return sum;
  if (sum.nanoseconds == 0) return Seconds{-sum.whole, 0};
  return Seconds{-sum.whole - 1, static_cast<int32_t>(kNanoseconds - sum.nanoseconds)};
}

Value to_duration(Arguments v, Evaluation&) {
  if (v[0].is(Kind::kDuration)) return v[0];
  const auto time = v[0].is(Kind::kString) ? read_duration(v[0].text) : std::nullopt;
  return time ? Value::duration(*time) : Value::error();
}

Value to_timestamp(Arguments v, Evaluation&) {
  if (v[0].is(Kind::kTimestamp)) return v[0];
  if (v[0].is(Kind::kInt)) return Value::timestamp({v[0].number, 0});
  const auto time = v[0].is(Kind::kString) ? read_timestamp(v[0].text) : std::nullopt;
  return time ? Value::timestamp(*time) : Value::error();
}

// ---- parts

enum class Part : uint8_t {
  kYear,
  kMonth,
  kDate,
  kDayOfMonth,
  kDayOfWeek,
  kDayOfYear,
  kHours,
  kMinutes,
  kSeconds,
  kMilliseconds
};

int64_t part_of_moment(Part part, Seconds time) {
  const int64_t day = floor_divide(time.whole, kDay), second = time.whole - day * kDay;
  switch (part) {
    case Part::kYear:
      return date_of(day).year;
    case Part::kMonth:
      return date_of(day).month - 1;
    case Part::kDate:
      return date_of(day).day;
    case Part::kDayOfMonth:
      return date_of(day).day - 1;
    case Part::kDayOfWeek:  // Sunday is 0, and 1970 began with a Thursday
      return ((day % 7) + 7 + 4) % 7;
    case Part::kDayOfYear:
      return day - day_number({date_of(day).year, 1, 1});
    case Part::kHours:
      return second / 3600;
    case Part::kMinutes:
      return second / 60 % 60;
    case Part::kSeconds:
      return second % 60;
    case Part::kMilliseconds:
      return time.nanoseconds / 1'000'000;
  }
  return 0;
}

// All of it in hours, minutes or seconds, without what is left; of milliseconds what is left.
std::optional<int64_t> part_of_span(Part part, Seconds time) {
  const bool rounds_up = time.whole < 0 && time.nanoseconds != 0;
  const int64_t seconds = time.whole + (rounds_up ? 1 : 0);
  switch (part) {
    case Part::kHours:
      return seconds / 3600;
    case Part::kMinutes:
      return seconds / 60;
    case Part::kSeconds:
      return seconds;
    case Part::kMilliseconds:
      return (time.nanoseconds - (rounds_up ? kNanoseconds : 0)) / 1'000'000;
    default:
      return std::nullopt;
  }
}

template <Part kPart>
Value part(Arguments v, Evaluation&) {
  if (v[0].is(Kind::kDuration) && v.size() == 1) {
    const std::optional<int64_t> number = part_of_span(kPart, v[0].time);
    return number ? Value::integer(*number) : Value::error();
  }
  if (!v[0].is(Kind::kTimestamp)) return Value::error();
  Seconds time = v[0].time;
  int64_t offset = 0;
  if (v.size() == 2 && (!v[1].is(Kind::kString) || !read_time_zone(v[1].text, offset))) return Value::error();
  if (__builtin_add_overflow(time.whole, offset, &time.whole)) return Value::error();
  return Value::integer(part_of_moment(kPart, time));
}

#define SLUICE_CEL_PART(name, which) \
  {name, Function::Style::kOfReceiver, 1, part<which>}, { name, Function::Style::kOfReceiver, 2, part<which> }

constexpr Function kTimes[] = {
    {"duration", Function::Style::kPlain, 1, to_duration},
    {"timestamp", Function::Style::kPlain, 1, to_timestamp},
    SLUICE_CEL_PART("getFullYear", Part::kYear),
    SLUICE_CEL_PART("getMonth", Part::kMonth),
    SLUICE_CEL_PART("getDate", Part::kDate),
    SLUICE_CEL_PART("getDayOfMonth", Part::kDayOfMonth),
    SLUICE_CEL_PART("getDayOfWeek", Part::kDayOfWeek),
    SLUICE_CEL_PART("getDayOfYear", Part::kDayOfYear),
    SLUICE_CEL_PART("getHours", Part::kHours),
    SLUICE_CEL_PART("getMinutes", Part::kMinutes),
    SLUICE_CEL_PART("getSeconds", Part::kSeconds),
    SLUICE_CEL_PART("getMilliseconds", Part::kMilliseconds),
};
#undef SLUICE_CEL_PART

}  // namespace

std::span<const Function> time_functions() { return kTimes; }

bool read_time_zone(std::string_view text, int64_t& offset) {
  if (text.empty() || text == "UTC") {
    offset = 0;
    return true;
  }
  const bool west = text.starts_with('-');
  if (west || text.starts_with('+')) text.remove_prefix(1);
  const int64_t hours = take_digits(text, text.find(':') == 1 ? 1 : 2);
  if (hours < 0 || !take_letter(text, ':')) return false;
  const int64_t minutes = take_digits(text, 2);
  if (minutes < 0 || !text.empty()) return false;
  offset = (hours * 60 + minutes) * (west ? -60 : 60);
  return true;
}

}  // namespace sluice::cel
