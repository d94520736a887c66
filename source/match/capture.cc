#include "match/capture.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <string>

#include "base/strings.h"

namespace sluice::match {

struct CapturePattern::Compiled {
  explicit Compiled(std::string_view pattern) : linear(std::string(pattern), RE2::Quiet) {}
  RE2 linear;
  std::optional<std::regex> backtracking;  // when `linear` did not understand the pattern
};

Result<CapturePattern> CapturePattern::compile(std::string_view pattern) {
  auto compiled = std::make_shared<Compiled>(pattern);
  if (!compiled->linear.ok()) {
    try {
      compiled->backtracking.emplace(std::string(pattern), std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error&) {
      return Error{cat("the pattern does not compile: ", compiled->linear.error())};
    }
  }
  CapturePattern out;
  out.compiled_ = std::move(compiled);
  return out;
}

bool CapturePattern::find(std::string_view text, Groups& groups) const {
  groups = {};
  if (!compiled_->backtracking) {
    const RE2& re = compiled_->linear;
    groups.count = static_cast<size_t>(re.NumberOfCapturingGroups());
    std::array<re2::StringPiece, 3> found;
    const int wanted = static_cast<int>(std::min<size_t>(groups.count, 2)) + 1;
    if (!re.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, found.data(), wanted)) {
      return false;
    }
    for (size_t i = 0; i < 2; ++i) {
      groups.group[i] = {found[i + 1].data(), found[i + 1].size()};
    }
    return true;
  }
  groups.count = compiled_->backtracking->mark_count();
  std::cmatch found;
  try {
    if (text.size() > kLongestText ||
        !std::regex_search(text.data(), text.data() + text.size(), found, *compiled_->backtracking)) {
      return false;
    }
  } catch (const std::regex_error&) {  // it gave up
    return false;
  }
  for (size_t i = 0; i < std::min<size_t>(groups.count, 2); ++i) {
    const std::csub_match& group = found[i + 1];
    groups.group[i] =
        group.matched ? std::string_view(group.first, static_cast<size_t>(group.length())) : std::string_view();
  }
  return true;
}

}  // namespace sluice::match
