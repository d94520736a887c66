#include "config/well_known.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace sluice::config {
namespace {

constexpr int64_t kLargestSeconds = 315'576'000'000;  // 10,000 years, the range of both types

bool all_digits(std::string_view text) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

// ".5" behind the seconds, in nanoseconds.
std::optional<int32_t> fraction(std::string_view digits) {
  if (!all_digits(digits) || digits.size() > 9) return std::nullopt;
  int32_t nanos = *parse_number<int32_t>(digits);
  for (size_t i = digits.size(); i < 9; ++i) {
    nanos *= 10;
  }
  return nanos;
}

// Takes a number of exactly `width` digits and then `end` (if it is not 0) off the front.
bool take(std::string_view& text, size_t width, char end, int& out) {
  if (text.size() < width + (end != 0 ? 1 : 0) || !all_digits(text.substr(0, width))) return false;
  out = *parse_number<int>(text.substr(0, width));
  if (end != 0 && text[width] != end) return false;
  text.remove_prefix(width + (end != 0 ? 1 : 0));
  return true;
}

// Days from 1970-01-01, Gregorian, also before; month 1..12. Days beyond the month's end run into the next.
int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = year / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::optional<int64_t> offset_seconds(std::string_view text) {
  if (text == "Z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take(text, 2, ':', hours) || !take(text, 2, 0, minutes) || !text.empty()) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

WellKnown well_known(std::string_view full_name) {
  constexpr std::string_view kPackage = "google.protobuf.";
  if (full_name.substr(0, kPackage.size()) != kPackage) return WellKnown::None;
  const std::string_view name = full_name.substr(kPackage.size());
  constexpr std::pair<std::string_view, WellKnown> kKinds[] = {{"Any", WellKnown::Any},
                                                               {"Duration", WellKnown::Duration},
                                                               {"Timestamp", WellKnown::Timestamp},
                                                               {"FieldMask", WellKnown::FieldMask},
                                                               {"Struct", WellKnown::Struct},
                                                               {"Value", WellKnown::Value},
                                                               {"ListValue", WellKnown::ListValue},
                                                               {"DoubleValue", WellKnown::Wrapper},
                                                               {"FloatValue", WellKnown::Wrapper},
                                                               {"Int64Value", WellKnown::Wrapper},
                                                               {"UInt64Value", WellKnown::Wrapper},
                                                               {"Int32Value", WellKnown::Wrapper},
                                                               {"UInt32Value", WellKnown::Wrapper},
                                                               {"BoolValue", WellKnown::Wrapper},
                                                               {"StringValue", WellKnown::Wrapper},
                                                               {"BytesValue", WellKnown::Wrapper}};
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
  }
  return WellKnown::None;
}

std::optional<google::protobuf::Duration> parse_duration(std::string_view text) {
  if (text.size() < 2 || text.back() != 's') return std::nullopt;
  text.remove_suffix(1);
  const bool negative = text.front() == '-';
  text.remove_prefix(negative ? 1 : 0);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!all_digits(whole)) return std::nullopt;
  const auto seconds = parse_number<int64_t>(whole);
  const auto nanos = point == std::string_view::npos ? std::optional<int32_t>(0) : fraction(text.substr(point + 1));
  if (!seconds || !nanos || *seconds > kLargestSeconds) return std::nullopt;
  google::protobuf::Duration out;
  out.set_seconds(negative ? -*seconds : *seconds);
  out.set_nanos(negative ? -*nanos : *nanos);
  return out;
}

std::optional<google::protobuf::Timestamp> parse_timestamp(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take(text, 4, '-', year) || !take(text, 2, '-', month) || !take(text, 2, 'T', day) ||
      !take(text, 2, ':', hour) || !take(text, 2, ':', minute) || !take(text, 2, 0, second)) {
    return std::nullopt;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  int32_t nanos = 0;
  if (!text.empty() && text[0] == '.') {
    const size_t end = std::min(text.find_first_of("Z+-"), text.size());
    const auto digits = fraction(text.substr(1, end - 1));
    if (!digits) return std::nullopt;
    nanos = *digits;
    text.remove_prefix(end);
  }
  const auto offset = offset_seconds(text);
  if (!offset) return std::nullopt;
  google::protobuf::Timestamp out;
  out.set_seconds(days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - *offset);
  out.set_nanos(nanos);
  return out;
}

google::protobuf::FieldMask parse_field_mask(std::string_view text) {
  google::protobuf::FieldMask out;
  if (text.empty()) return out;
  for (std::string_view path : split(text, ',')) {
    std::string snake;
    for (char c : path) {
      if (c >= 'A' && c <= 'Z') {
        snake += '_';
      }
      snake += lower(c);
    }
    out.add_paths(snake);
  }
  return out;
}

}  // namespace sluice::config
