// StringMatcher: one condition on a text.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/type/matcher/v3/string.proto
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "match/regex.h"

namespace sluice::match {

enum class Case : uint8_t { kSensitive, kIgnored };

// ASCII letters only are folded when the case is ignored; a regular expression says itself what it folds, so Case has
// no part in it. Immutable once made, matching takes no memory. Thread: any.
class StringMatcher {
 public:
  enum class Kind : uint8_t { kExact, kPrefix, kSuffix, kContains, kRegex };

  // Matches the empty text only.
  StringMatcher() = default;
  static StringMatcher exact(std::string_view text, Case letters = Case::kSensitive) {
    return StringMatcher(Kind::kExact, text, letters);
  }
  static StringMatcher prefix(std::string_view text, Case letters = Case::kSensitive) {
    return StringMatcher(Kind::kPrefix, text, letters);
  }
  static StringMatcher suffix(std::string_view text, Case letters = Case::kSensitive) {
    return StringMatcher(Kind::kSuffix, text, letters);
  }
  static StringMatcher contains(std::string_view text, Case letters = Case::kSensitive) {
    return StringMatcher(Kind::kContains, text, letters);
  }
  static StringMatcher regex(Regex regex);

  bool matches(std::string_view text) const;

  Kind kind() const { return kind_; }
  Case letters() const { return case_; }
  // What was written: the text (in lower case when the case is ignored) or the pattern.
  std::string_view pattern() const { return kind_ == Kind::kRegex ? regex_.pattern() : std::string_view(text_); }
  // For explanations: `exact "x"`, `prefix "x" ignoring case`.
  std::string describe() const;

 private:
  StringMatcher(Kind kind, std::string_view text, Case letters);

  Kind kind_ = Kind::kExact;
  Case case_ = Case::kSensitive;
  std::string text_;
  Regex regex_;
};

}  // namespace sluice::match
