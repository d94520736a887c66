// CapturePattern: a pattern that is searched for anywhere in a text, for the sake of its groups (the tags of stats).
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace sluice::match {

// RE2 where it understands the pattern. People's patterns for tags were written for ECMAScript's, which has
// look-aheads; only for those the standard library's engine is used, which backtracks, so it gets no text above
// kLongestText. Copies share the pattern. Thread: any (immutable).
class CapturePattern {
 public:
  static constexpr size_t kLongestText = 1024;

  // What the first two groups matched; without data: the group took no part, or there is none.
  struct Groups {
    std::array<std::string_view, 2> group;
    size_t count = 0;  // groups in the pattern
  };

  static Result<CapturePattern> compile(std::string_view pattern);

  // Whether it is found; the groups point into `text`.
  bool find(std::string_view text, Groups& groups) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace sluice::match
