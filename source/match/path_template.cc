#include "match/path_template.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::match {
namespace {

// What `*` and `**` stand for, as RE2 writes it, and what else than letters and digits a literal may have.
constexpr std::string_view kOneSegment = "[a-zA-Z0-9-._~%!$&'()*+,;:@=]+";
constexpr std::string_view kRest = "[a-zA-Z0-9-._~%!$&'()*+,;:@=/]*";
constexpr std::string_view kPunctuation = "-._~%!$&'()+,;:@=";
constexpr uint32_t kMaxProgram = 10'000;  // a template of 5 variables is far below it

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_literal(char c) { return is_letter(c) || is_digit(c) || kPunctuation.find(c) != std::string_view::npos; }

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= PathTemplate::kMaxNameLength && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

void append_literal(std::string& to, char c) {
  if (!is_letter(c) && !is_digit(c)) to += '\\';
  to += c;
}

// Template -> regular expression. A segment is an operator, a variable, or a literal that may have one variable in it;
// what is behind an operator within its segment ends the template.
class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  // Empty: it is fine.
  std::string run() {
    if (!text_.starts_with('/')) return "must begin with '/'";
    while (take("/")) {
      regex += '/';
      if (at_ == text_.size()) break;
      if (std::string error = segment(); !error.empty()) return error;
    }
    if (at_ < text_.size()) return cat("'", text_[at_], "' cannot stand at position ", at_);
    return {};
  }

  std::string regex;
  std::vector<std::string> variables;

 private:
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  // False: there is none.
  bool literal() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_literal(text_[at_])) append_literal(regex, text_[at_++]);
    return at_ > begin;
  }
  std::string take_operator() {
    if (rest_taken_) return "nothing but text may stand behind '**'";
    rest_taken_ = take("**");
    if (!rest_taken_) take("*");
    regex += rest_taken_ ? kRest : kOneSegment;
    return {};
  }

  std::string segment() {
    if (text_[at_] == '*') {
      if (std::string error = take_operator(); !error.empty()) return error;
      if (at_ == text_.size() || text_[at_] == '/') return {};
      return literal() && at_ == text_.size() ? "" : "what is behind a '*' in its segment must be text, and the end";
    }
    const bool has_literal = literal();
    if (at_ < text_.size() && text_[at_] == '{') {
      const size_t close = text_.find('}', at_);
      if (close == std::string_view::npos) return "a variable is not closed";
      if (has_literal && text_.find('/', at_) < close) return "a variable behind text has one segment";
      if (std::string error = variable(); !error.empty()) return error;
      literal();
      return {};
    }
    return has_literal ? "" : "an empty segment";
  }

  std::string variable() {
    const size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '}' && text_[at_] != '=') ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    if (!is_name(name)) return cat("'", name, "' is no name of a variable");
    if (std::find(variables.begin(), variables.end(), name) != variables.end()) return cat("'", name, "' stands twice");
    if (variables.size() == PathTemplate::kMaxVariables) return "has more than 5 variables";
    variables.push_back(name);
    regex += '(';
    if (take("=")) {
      do {
        if (text_[at_ - 1] == '/') regex += '/';
        if (at_ < text_.size() && text_[at_] == '*') {
          if (std::string error = take_operator(); !error.empty()) return error;
        } else if (!literal()) {
          return cat("the variable '", name, "' has an empty segment");
        }
      } while (take("/"));
    } else if (rest_taken_) {
      return "nothing but text may stand behind '**'";
    } else {
      regex += kOneSegment;
    }
    regex += ')';
    return take("}") ? std::string() : "a variable is not closed";
  }

  std::string_view text_;
  size_t at_ = 0;
  bool rest_taken_ = false;
};

}  // namespace

Result<PathTemplate> PathTemplate::compile(std::string_view text) {
  Translator translator(text);
  if (const std::string error = translator.run(); !error.empty())
    return Error{cat("the path template '", text, "': ", error)};
  auto regex = Regex::compile(translator.regex, kMaxProgram);
  if (!regex.ok()) return Error{regex.error()};
  PathTemplate out;
  out.regex_ = std::move(*regex);
  out.variables_ = std::move(translator.variables);
  return out;
}

Result<PathRewriteTemplate> PathRewriteTemplate::compile(std::string_view text, const PathTemplate& matched) {
  const auto wrong = [text](const std::string& what) { return Error{cat("the path template '", text, "': ", what)}; };
  if (!text.starts_with('/')) return wrong("must begin with '/'");
  PathRewriteTemplate out;
  out.matched_ = matched;
  for (size_t at = 0; at < text.size();) {
    Part part;
    if (text[at] == '{') {
      const size_t end = text.find('}', at);
      if (end == std::string_view::npos) return wrong("a variable is not closed");
      const std::string_view name = text.substr(at + 1, end - at - 1);
      const auto found = std::find(matched.variables_.begin(), matched.variables_.end(), name);
      if (found == matched.variables_.end())
        return wrong(cat("'", name, "' is no variable of the template that matches"));
      part.variable = static_cast<int>(found - matched.variables_.begin());
      at = end + 1;
    } else {
      const size_t end = std::min(text.find('{', at), text.size());
      part.literal = text.substr(at, end - at);
      for (const char c : part.literal) {
        if (c != '/' && c != '*' && !is_literal(c)) return wrong(cat("'", c, "' cannot stand there"));
      }
      if (part.literal.find("//") != std::string::npos) return wrong("an empty segment");
      at = end;
    }
    out.parts_.push_back(std::move(part));
  }
  return out;
}

bool PathRewriteTemplate::rewrite(std::string_view path, std::string& to) const {
  std::string_view groups[PathTemplate::kMaxVariables];
  if (!matched_.regex_.capture(path, groups)) return false;
  for (const Part& part : parts_) {
    if (part.variable < 0) {
      to += part.literal;
    } else {
      to += groups[part.variable];
    }
  }
  return true;
}

}  // namespace sluice::match
