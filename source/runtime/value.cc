#include "runtime/value.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"

namespace sluice::runtime {
namespace {

constexpr double kAboveWhole = 18446744073709551616.0;  // 2^64

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view strip(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> number_of(std::string_view text) {
  const std::string word(strip(text));
  // strtod's words for what is no finite number are none of ours.
  if (word.empty() || (word.find_first_of("nN") != std::string::npos)) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(word.c_str(), &end);
  return end == word.c_str() + word.size() ? std::optional(number) : std::nullopt;
}

std::optional<bool> boolean_of(std::string_view text) {
  const std::string_view word = strip(text);
  if (equal_ignore_case(word, "true")) return true;
  if (equal_ignore_case(word, "false")) return false;
  return std::nullopt;
}

std::string_view unquote(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// One `name: value`. False: it is none, or not one of a share.
bool add_part(std::string_view part, Share& share) {
  const size_t colon = part.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view key = strip(part.substr(0, colon));
  const std::string_view rest = part.substr(colon + 1);
  // YAML wants a blank behind the colon, unless the key is in quotes.
  if (key.empty() || (unquote(key).size() == key.size() && (rest.empty() || !is_blank(rest.front())))) return false;
  const std::string_view value = unquote(strip(rest));
  if (unquote(key) == "numerator") {
    const auto number = parse_number<uint32_t>(value);
    share.numerator = number.value_or(0);
    return number.has_value();
  }
  const auto denominator = denominator_of(value);
  share.denominator = denominator.value_or(100);
  return unquote(key) == "denominator" && denominator.has_value();
}

std::optional<Share> share_of(std::string_view text) {
  std::string_view inner = strip(text);
  const bool braces = inner.size() >= 2 && inner.front() == '{' && inner.back() == '}';
  if (braces) inner = inner.substr(1, inner.size() - 2);
  Share share;
  bool any = false;
  for (const std::string_view part : split(inner, braces ? ',' : '\n')) {
    if (strip(part).empty()) continue;
    any = true;
    if (!add_part(part, share)) return std::nullopt;
  }
  return any ? std::optional(share) : std::nullopt;
}

}  // namespace

std::optional<uint32_t> denominator_of(std::string_view name) {
  if (name == "HUNDRED") return 100;
  if (name == "TEN_THOUSAND") return 10'000;
  if (name == "MILLION") return 1'000'000;
  return std::nullopt;
}

std::optional<uint64_t> Value::whole() const {
  if (!number || !(*number >= 0) || *number >= kAboveWhole) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

Value value_of_number(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", number);
  if (number == std::floor(number) && std::abs(number) < 1e15) std::snprintf(text, sizeof(text), "%.0f", number);
  return {text, number, std::nullopt, std::nullopt};
}

Value value_of_boolean(bool boolean) { return {boolean ? "true" : "false", std::nullopt, boolean, std::nullopt}; }

Value value_of_text(std::string_view text) {
  return {std::string(text), number_of(text), boolean_of(text), std::nullopt};
}

Value value_of_override(std::string_view text) {
  Value out = value_of_text(text);
  if (!out.number && !out.boolean) out.share = share_of(text);
  return out;
}

}  // namespace sluice::runtime
