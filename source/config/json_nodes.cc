#include "config/json_nodes.h"

#include <optional>
#include <string>

#include "base/strings.h"
#include "base/utf8.h"

namespace sluice::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$'; }

// Recursive descent; stops at the first error, which is the only one that can be trusted. Thread: one.
class Parser {
 public:
  Parser(std::string_view text, uint32_t file, NodeTree& tree) : text_(text), file_(file), tree_(tree) {}

  // Takes the whole text; false: error() and at() say why.
  bool parse() {
    if (!value()) return false;
    skip_blanks();
    return at_ == text_.size() || fail("something follows the end of the JSON value");
  }
  const std::string& error() const { return error_; }
  Position at() const { return {line_, static_cast<uint32_t>(at_ - line_start_ + 1), file_}; }

 private:
  bool fail(std::string why) {
    if (error_.empty()) {
      error_ = std::move(why);
    }
    return false;
  }

  std::string found() const {
    return at_ >= text_.size() ? "found the end of the text" : cat("found ", json_quote(text_.substr(at_, 1)));
  }

  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      advance();
    }
  }

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool value() {
    skip_blanks();
    if (at_ >= text_.size()) return fail("expected a value, found the end of the text");
    const char c = text_[at_];
    if (c == '{') return container(Node::Kind::Map, '}');
    if (c == '[') return container(Node::Kind::List, ']');
    if (c == '"' || c == '\'') return text_value();
    if (c == '-' || is_digit(c)) return number();
    return word();
  }

  bool container(Node::Kind kind, char end) {
    if (depth_ >= kMaxDepth) return fail("more than 100 lists and maps within each other");
    const size_t container = tree_.add(kind, at());
    ++at_;
    ++depth_;
    bool after_comma = true;
    while (!take(end)) {
      if (!after_comma) return fail(cat("expected \",\" or \"", end, "\", ", found()));
      if (kind == Node::Kind::Map && !key()) return false;
      if (!value()) return false;
      after_comma = take(',');
    }
    --depth_;
    tree_.close(container);
    return true;
  }

  bool key() {
    const Position key_at = at();
    std::string_view key;
    if (at_ < text_.size() && starts_word(text_[at_])) {
      const size_t start = at_;
      while (at_ < text_.size() && (starts_word(text_[at_]) || is_digit(text_[at_]))) ++at_;
      key = text_.substr(start, at_ - start);
      if (key == "true" || key == "false" || key == "null") return fail("expected a key");
    } else if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const auto read = quoted();
      if (!read) return false;
      key = *read;
    } else {
      return fail(cat("expected a key, ", found()));
    }
    tree_.add(Node::Kind::Text, key_at, key);
    return take(':') || fail(cat("expected \":\", ", found()));
  }

  bool text_value() {
    const Position begin = at();
    const auto read = quoted();
    if (!read) return false;
    tree_.add(Node::Kind::Text, begin, *read);
    return true;
  }

  bool number() {
    const Position begin = at();
    const size_t start = at_;
    const auto digits = [&] {
      const size_t first = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ > first;
    };
    if (text_[at_] == '-') ++at_;
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const size_t first = at_;
    if (!digits()) return fail(cat("expected a digit, ", found()));
    if (zero && at_ - first > 1) return fail("a number has no leading zeros");
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return fail(cat("expected a digit, ", found()));
    }
    if (at_ < text_.size() && lower(text_[at_]) == 'e') {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return fail(cat("expected a digit, ", found()));
    }
    if (at_ < text_.size() && starts_word(text_[at_])) return fail(cat("expected the end of the number, ", found()));
    tree_.add(Node::Kind::Number, begin, text_.substr(start, at_ - start));
    return true;
  }

  bool word() {
    const size_t start = at_;
    size_t end = at_;
    while (end < text_.size() && (starts_word(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view word = text_.substr(start, end - start);
    if (word != "true" && word != "false" && word != "null") {
      if (word.empty()) return fail(cat("expected a value, ", found()));
      return fail(cat("expected a value, found the word ", word, " without quotes"));
    }
    if (word == "null") {
      tree_.add(Node::Kind::Null, at(), word);
    } else {
      tree_.add_boolean(word == "true", at(), word);
    }
    at_ = end;
    return true;
  }

  // The content of a text in quotes; without escapes it stays where it is.
  std::optional<std::string_view> quoted() {
    const char quote = text_[at_++];
    const size_t start = at_;
    std::string changed;
    size_t copied = start;
    while (true) {
      if (at_ >= text_.size()) return fail("this text has no end"), std::nullopt;
      if (text_[at_] == quote) break;
      if (text_[at_] != '\\') {
        advance();
        continue;
      }
      changed.append(text_.substr(copied, at_ - copied));
      if (!escape(changed)) return std::nullopt;
      copied = at_;
    }
    std::string_view content = text_.substr(start, at_ - start);
    if (copied != start) {
      changed.append(text_.substr(copied, at_ - copied));
      content = tree_.keep(changed);
    }
    ++at_;
    if (!is_utf8(content)) return fail("this text is not UTF-8"), std::nullopt;
    return content;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kNames = "bfnrt/\\\"'";
    constexpr std::string_view kValues = "\b\f\n\r\t/\\\"'";
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == 'u') {
      at_ += 2;
      return code_point(out);
    }
    const size_t known = c == '\0' ? std::string_view::npos : kNames.find(c);
    if (known == std::string_view::npos) return fail("unknown escape");
    out += kValues[known];
    at_ += 2;
    return true;
  }

  bool code_point(std::string& out) {
    uint32_t code = 0;
    if (!four_digits(code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return fail("half a surrogate pair");
    if (code >= 0xd800 && code < 0xdc00) {
      uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") return fail("half a surrogate pair");
      at_ += 2;
      if (!four_digits(low)) return false;
      if (low < 0xdc00 || low >= 0xe000) return fail("half a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  bool four_digits(uint32_t& code) {
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      return fail("expected four hexadecimal digits");
    }
    at_ += 4;
    return true;
  }

  const std::string_view text_;
  const uint32_t file_;
  NodeTree& tree_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
  uint32_t depth_ = 0;
  std::string error_;
};

}  // namespace

bool parse_json(std::string_view text, uint32_t file, std::string_view name, NodeTree& tree, Findings& findings) {
  tree = NodeTree(file);
  Parser parser(text, file, tree);
  if (parser.parse()) return true;
  findings.fail({std::string(name), parser.at(), {}, cat("not JSON: ", parser.error())});
  tree.clear();
  return false;
}

}  // namespace sluice::config
