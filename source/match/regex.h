// Regular expressions of the configuration: RE2 syntax, full match, linear time. RE2 itself stays in this folder.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/type/matcher/v3/regex.proto
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::match {

// A compiled pattern behind a shared handle: cheap to copy, immutable. An empty handle matches nothing. Matching may
// fill RE2's own bounded cache but takes no memory of the request. Thread: any.
class Regex {
 public:
  // Envoy's re2.max_program_size.error_level: patterns that compile to more instructions are refused. Both runtime
  // and RegexMatcher.google_re2 can set another one.
  static constexpr uint32_t kMaxProgramSize = 100;

  // That capture() looks at.
  static constexpr size_t kMaxGroups = 9;

  Regex() = default;

  // Errors: what RE2 says about the pattern, or that it is larger than `max_program_size`.
  static Result<Regex> compile(std::string_view pattern, uint32_t max_program_size = kMaxProgramSize);

  explicit operator bool() const { return compiled_ != nullptr; }
  // The pattern as it was written.
  std::string_view pattern() const;

  // The pattern covers the whole text.
  bool matches(std::string_view text) const;
  // The same, and what the groups cover: groups[0] is the first group. Those without part in the match are empty.
  bool capture(std::string_view text, std::span<std::string_view> groups) const;
  // Replaces every match in `text` by `substitution`, in which \0 to \9 stand for the match and its groups. False,
  // and `text` as it was, without a match or when the substitution names a group that the pattern does not have.
  bool replace_all(std::string& text, std::string_view substitution) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace sluice::match
