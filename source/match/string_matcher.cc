#include "match/string_matcher.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::match {
namespace {

// `text` is folded, `pattern` is in lower case already.
bool contains_ignore_case(std::string_view text, std::string_view pattern) {
  return std::search(text.begin(), text.end(), pattern.begin(), pattern.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end() ||
         pattern.empty();
}

std::string_view name_of(StringMatcher::Kind kind) {
  switch (kind) {
    case StringMatcher::Kind::kExact: return "exact";
    case StringMatcher::Kind::kPrefix: return "prefix";
    case StringMatcher::Kind::kSuffix: return "suffix";
    case StringMatcher::Kind::kContains: return "contains";
    case StringMatcher::Kind::kRegex: return "regex";
  }
  return {};
}

}  // namespace

StringMatcher::StringMatcher(Kind kind, std::string_view text, Case letters)
    : kind_(kind), case_(letters), text_(letters == Case::kIgnored ? to_lower(text) : std::string(text)) {}

StringMatcher StringMatcher::regex(Regex regex) {
  StringMatcher matcher;
  matcher.kind_ = Kind::kRegex;
  matcher.regex_ = std::move(regex);
  return matcher;
}

bool StringMatcher::matches(std::string_view text) const {
  const bool folded = case_ == Case::kIgnored;
  switch (kind_) {
    case Kind::kExact: return folded ? equal_ignore_case(text, text_) : text == text_;
    case Kind::kPrefix:
      return text.size() >= text_.size() &&
             (folded ? equal_ignore_case(text.substr(0, text_.size()), text_) : text.starts_with(text_));
    case Kind::kSuffix:
      return text.size() >= text_.size() &&
             (folded ? equal_ignore_case(text.substr(text.size() - text_.size()), text_) : text.ends_with(text_));
    case Kind::kContains:
      return folded ? contains_ignore_case(text, text_) : text.find(text_) != std::string_view::npos;
    case Kind::kRegex: return regex_.matches(text);
  }
  return false;
}

std::string StringMatcher::describe() const {
  return cat(name_of(kind_), " \"", pattern(), "\"", case_ == Case::kIgnored ? " ignoring case" : "");
}

}  // namespace sluice::match
