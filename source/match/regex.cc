#include "match/regex.h"

#include <re2/re2.h>

#include "base/strings.h"

namespace sluice::match {

struct Regex::Compiled {
  explicit Compiled(std::string_view pattern) : re(re2::StringPiece(pattern.data(), pattern.size()), RE2::Quiet) {}
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
  return compiled_ == nullptr ? std::string_view() : std::string_view(compiled_->re.pattern());
}

bool Regex::matches(std::string_view text) const {
  return compiled_ != nullptr && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
}

bool Regex::replace_all(std::string& text, std::string_view substitution) const {
  return compiled_ != nullptr &&
         RE2::GlobalReplace(&text, compiled_->re, re2::StringPiece(substitution.data(), substitution.size())) > 0;
}

}  // namespace sluice::match
