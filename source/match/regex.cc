#include "match/regex.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/strings.h"

namespace sluice::match {

namespace {

// RE2 of 2023 and later takes "(?<name>" for "(?P<name>"; the distribution's is older. Escapes and classes are skipped.
std::string with_old_group_names(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(' && pattern.substr(i + 1).starts_with("?<") && i + 3 < pattern.size() && pattern[i + 3] != '=' &&
               pattern[i + 3] != '!') {
      out += "?P<";
      i += 2;
    }
  }
  return out;
}

}  // namespace

struct Regex::Compiled {
  explicit Compiled(std::string_view written) : text(written), re(with_old_group_names(written), RE2::Quiet) {}
  std::string text;
  RE2 re;
};

Result<Regex> Regex::compile(std::string_view pattern, uint32_t max_program_size) {
  auto compiled = std::make_shared<const Compiled>(pattern);
  if (!compiled->re.ok()) {
    return Error{cat("the pattern does not compile: ", compiled->re.error())};
  }
  const int size = compiled->re.ProgramSize();
  if (size > 0 && static_cast<uint32_t>(size) > max_program_size) {
    return Error{cat("the pattern compiles to ", size, " instructions, more than the allowed ", max_program_size,
                     " (runtime key re2.max_program_size.error_level)")};
  }
  Regex regex;
  regex.compiled_ = std::move(compiled);
  return regex;
}

std::string_view Regex::pattern() const {
  return compiled_ == nullptr ? std::string_view() : std::string_view(compiled_->text);
}

bool Regex::matches(std::string_view text) const {
  return compiled_ != nullptr && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
}

bool Regex::capture(std::string_view text, std::span<std::string_view> groups) const {
  if (compiled_ == nullptr) return false;
  re2::StringPiece found[kMaxGroups + 1];
  const size_t count = std::min(groups.size(), kMaxGroups);
  const re2::StringPiece whole(text.data(), text.size());
  if (!compiled_->re.Match(whole, 0, whole.size(), RE2::ANCHOR_BOTH, found, static_cast<int>(count) + 1)) return false;
  for (size_t i = 0; i < count; ++i) groups[i] = {found[i + 1].data(), found[i + 1].size()};
  return true;
}

bool Regex::replace_all(std::string& text, std::string_view substitution) const {
  return compiled_ != nullptr &&
         RE2::GlobalReplace(&text, compiled_->re, re2::StringPiece(substitution.data(), substitution.size())) > 0;
}

}  // namespace sluice::match
