#include "config/validation_rules.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <optional>
#include <type_traits>
#include <unordered_map>

#include "base/strings.h"
#include "base/utf8.h"
#include "match/regex.h"

namespace sluice::config {
namespace {

using google::protobuf::Duration;

// A Duration that can be compared; equal nanoseconds are normal because duration_complaint() comes first.
struct Span {
  int64_t seconds = 0;
  int32_t nanos = 0;
  friend auto operator<=>(const Span&, const Span&) = default;
};

Span span(const Duration& duration) { return {duration.seconds(), duration.nanos()}; }

std::string spell(Span span) {
  std::string out = cat(span.seconds);
  if (span.nanos != 0) {
    std::string digits = cat(1'000'000'000 + span.nanos).substr(1);
    digits.resize(digits.find_last_not_of('0') + 1);
    append(out, ".", digits);
  }
  return out + "s";
}

template <typename T>
std::string spell(T number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof(digits), number).ptr};
}

template <typename T>
struct Bounds {
  std::optional<T> lt, lte, gt, gte;
};

template <typename T>
std::string complaint(const Bounds<T>& bounds, T value) {
  const bool above = (!bounds.gt || value > *bounds.gt) && (!bounds.gte || value >= *bounds.gte);
  const bool below = (!bounds.lt || value < *bounds.lt) && (!bounds.lte || value <= *bounds.lte);
  const auto low = bounds.gt ? bounds.gt : bounds.gte;
  const auto high = bounds.lt ? bounds.lt : bounds.lte;
  // A lower bound above the upper one means: outside of the range between them.
  const bool outside = low && high && *high < *low;
  if (outside ? above || below : above && below) return {};
  std::string out = "must be ";
  if (low) append(out, bounds.gt ? "above " : "at least ", spell(*low));
  if (low && high) append(out, outside ? " or " : " and ");
  if (high) append(out, bounds.lt ? "below " : "at most ", spell(*high));
  return cat(out, ", is ", spell(value));
}

template <typename List, typename T>
bool contains(const List& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename List, typename Spell>
std::string choices(const List& list, Spell spelled) {
  std::string out;
  for (const auto& each : list) {
    append(out, out.empty() ? "" : ", ", spelled(each));
  }
  return out;
}

template <typename T, typename Rules>
std::string number_complaint(const Rules& rules, T value) {
  if (rules.ignore_empty() && value == T{}) return {};
  if (rules.has_const_() && value != rules.const_())
    return cat("must be ", spell(rules.const_()), ", is ", spell(value));
  Bounds<T> bounds;
  if (rules.has_lt()) bounds.lt = rules.lt();
  if (rules.has_lte()) bounds.lte = rules.lte();
  if (rules.has_gt()) bounds.gt = rules.gt();
  if (rules.has_gte()) bounds.gte = rules.gte();
  if (std::string wrong = complaint(bounds, value); !wrong.empty()) return wrong;
  const auto spelled = [](T each) { return spell(each); };
  if (rules.in_size() > 0 && !contains(rules.in(), value)) {
    return cat("must be one of ", choices(rules.in(), spelled), ", is ", spell(value));
  }
  return contains(rules.not_in(), value) ? cat("must not be ", spell(value)) : std::string();
}

std::string enum_name(const google::protobuf::EnumDescriptor& type, int number) {
  const auto* value = type.FindValueByNumber(number);
  return value == nullptr ? cat(number) : value->name();
}

std::string enum_complaint(const validate::EnumRules& rules, int value, const google::protobuf::EnumDescriptor& type) {
  const auto spelled = [&](int each) { return enum_name(type, each); };
  if (rules.has_const_() && value != rules.const_())
    return cat("must be ", spelled(rules.const_()), ", is ", spelled(value));
  if (rules.defined_only() && type.FindValueByNumber(value) == nullptr) {
    return cat("must be a value of ", type.name(), ", is ", value);
  }
  if (rules.in_size() > 0 && !contains(rules.in(), value)) {
    return cat("must be one of ", choices(rules.in(), spelled), ", is ", spelled(value));
  }
  return contains(rules.not_in(), value) ? cat("must not be ", spelled(value)) : std::string();
}

std::string length_complaint(bool has_exact, uint64_t exact, bool has_min, uint64_t min, bool has_max, uint64_t max,
                             uint64_t is, std::string_view unit) {
  const auto plural = [&](uint64_t n) { return cat(n, " ", unit, n == 1 ? "" : "s"); };
  if (has_exact && is != exact) return cat("must have ", plural(exact), ", has ", is);
  if (has_min && is < min)
    return is == 0 ? std::string("must not be empty") : cat("must have at least ", plural(min), ", has ", is);
  if (has_max && is > max) return cat("must have at most ", plural(max), ", has ", is);
  return {};
}

// The forms of header names and values; `strict` allows what HTTP allows, else only NUL, CR and LF are refused.
std::string header_complaint(const validate::StringRules& rules, std::string_view text) {
  const bool name = rules.well_known_regex() == validate::HTTP_HEADER_NAME;
  const auto fits = [&](char c) {
    const auto byte = static_cast<uint8_t>(c);
    if (!rules.strict()) return c != '\0' && c != '\r' && c != '\n';
    if (!name) return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    const bool letter = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
    return letter || (c != '\0' && std::string_view("!#$%&'*+,-.^_|~`").find(c) != std::string_view::npos);
  };
  std::string_view rest = text;
  if (name && rules.strict() && rest.size() > 1 && rest[0] == ':') {
    rest.remove_prefix(1);
  }
  if (name && rules.strict() && rest.empty()) return "must be the name of a header, is empty";
  if (std::all_of(rest.begin(), rest.end(), fits)) return {};
  return cat("must be the ", name ? "name" : "value", " of a header, is ", json_quote(text));
}

// Patterns come from the API, so there are few: compiled once per thread.
bool full_match(const std::string& pattern, std::string_view text) {
  thread_local std::unordered_map<std::string, match::Regex> compiled;
  auto& regex = compiled[pattern];
  if (!regex) {
    if (auto made = match::Regex::compile(pattern, UINT32_MAX)) {
      regex = *made;
    }
  }
  return regex.matches(text);
}

// What texts and bytes have in common.
template <typename Rules>
std::string content_complaint(const Rules& rules, const std::string& text) {
  if (rules.has_const_() && text != rules.const_()) return cat("must be ", json_quote(rules.const_()));
  if (rules.has_pattern() && !full_match(rules.pattern(), text)) {
    return cat("must match the pattern ", rules.pattern(), ", is ", json_quote(text));
  }
  const std::string_view view = text;
  if (rules.has_prefix() && view.substr(0, rules.prefix().size()) != rules.prefix()) {
    return cat("must begin with ", json_quote(rules.prefix()), ", is ", json_quote(text));
  }
  const size_t tail = text.size() - std::min(text.size(), rules.suffix().size());
  if (rules.has_suffix() && view.substr(tail) != rules.suffix()) {
    return cat("must end with ", json_quote(rules.suffix()), ", is ", json_quote(text));
  }
  if (rules.has_contains() && text.find(rules.contains()) == std::string::npos) {
    return cat("must contain ", json_quote(rules.contains()), ", is ", json_quote(text));
  }
  const auto spelled = [](const std::string& each) { return json_quote(each); };
  if (rules.in_size() > 0 && !contains(rules.in(), text)) {
    return cat("must be one of ", choices(rules.in(), spelled), ", is ", json_quote(text));
  }
  return contains(rules.not_in(), text) ? cat("must not be ", json_quote(text)) : std::string();
}

std::string text_complaint(const validate::StringRules& rules, const std::string& text) {
  if (rules.ignore_empty() && text.empty()) return {};
  std::string wrong = length_complaint(rules.has_len(), rules.len(), rules.has_min_len(), rules.min_len(),
                                       rules.has_max_len(), rules.max_len(), count_code_points(text), "character");
  if (wrong.empty()) {
    wrong = length_complaint(rules.has_len_bytes(), rules.len_bytes(), rules.has_min_bytes(), rules.min_bytes(),
                             rules.has_max_bytes(), rules.max_bytes(), text.size(), "byte");
  }
  if (wrong.empty()) wrong = content_complaint(rules, text);
  if (wrong.empty() && rules.has_not_contains() && text.find(rules.not_contains()) != std::string::npos) {
    wrong = cat("must not contain ", json_quote(rules.not_contains()), ", is ", json_quote(text));
  }
  if (wrong.empty() && rules.has_well_known_regex() && rules.well_known_regex() != validate::UNKNOWN) {
    wrong = header_complaint(rules, text);
  }
  return wrong;
}

std::string bytes_complaint(const validate::BytesRules& rules, const std::string& bytes) {
  if (rules.ignore_empty() && bytes.empty()) return {};
  std::string wrong = length_complaint(rules.has_len(), rules.len(), rules.has_min_len(), rules.min_len(),
                                       rules.has_max_len(), rules.max_len(), bytes.size(), "byte");
  return wrong.empty() ? content_complaint(rules, bytes) : wrong;
}

}  // namespace

std::string complaint(const validate::FieldRules& rules, const ScalarValue& value,
                      const google::protobuf::EnumDescriptor* type) {
  const auto integer = [&] { return std::get<int64_t>(value); };
  const auto natural = [&] { return std::get<uint64_t>(value); };
  switch (rules.type_case()) {
    case validate::FieldRules::kFloat:
      return number_complaint(rules.float_(), static_cast<float>(std::get<double>(value)));
    case validate::FieldRules::kDouble:
      return number_complaint(rules.double_(), std::get<double>(value));
    case validate::FieldRules::kInt32:
      return number_complaint(rules.int32(), static_cast<int32_t>(integer()));
    case validate::FieldRules::kInt64:
      return number_complaint(rules.int64(), integer());
    case validate::FieldRules::kUint32:
      return number_complaint(rules.uint32(), static_cast<uint32_t>(natural()));
    case validate::FieldRules::kUint64:
      return number_complaint(rules.uint64(), natural());
    case validate::FieldRules::kBool:
      if (!rules.bool_().has_const_() || rules.bool_().const_() == std::get<bool>(value)) return {};
      return rules.bool_().const_() ? "must be true" : "must be false";
    case validate::FieldRules::kString:
      return text_complaint(rules.string(), std::get<std::string>(value));
    case validate::FieldRules::kBytes:
      return bytes_complaint(rules.bytes(), std::get<std::string>(value));
    case validate::FieldRules::kEnum:
      return enum_complaint(rules.enum_(), static_cast<int>(integer()), *type);
    default:
      return {};
  }
}

std::string complaint(const validate::DurationRules& rules, const Duration& value) {
  const Span is = span(value);
  if (rules.has_const_() && is != span(rules.const_()))
    return cat("must be ", spell(span(rules.const_())), ", is ", spell(is));
  Bounds<Span> bounds;
  if (rules.has_lt()) bounds.lt = span(rules.lt());
  if (rules.has_lte()) bounds.lte = span(rules.lte());
  if (rules.has_gt()) bounds.gt = span(rules.gt());
  if (rules.has_gte()) bounds.gte = span(rules.gte());
  return complaint(bounds, is);
}

std::string complaint(const validate::RepeatedRules& rules, uint64_t items) {
  if (rules.ignore_empty() && items == 0) return {};
  return length_complaint(false, 0, rules.has_min_items(), rules.min_items(), rules.has_max_items(), rules.max_items(),
                          items, "element");
}

std::string complaint(const validate::MapRules& rules, uint64_t pairs) {
  if (rules.ignore_empty() && pairs == 0) return {};
  return length_complaint(false, 0, rules.has_min_pairs(), rules.min_pairs(), rules.has_max_pairs(), rules.max_pairs(),
                          pairs, "entry");
}

std::string duration_complaint(const Duration& value) {
  constexpr int64_t kTimerSeconds = 9'223'372'036;  // int64_t nanoseconds
  if (value.seconds() < 0 || value.nanos() < 0) return "a duration must not be negative";
  if (value.nanos() > 999'999'999) return "a duration has at most 999999999 nanos";
  return value.seconds() >= kTimerSeconds ? cat("a duration must be below ", kTimerSeconds, "s") : std::string();
}

}  // namespace sluice::config
