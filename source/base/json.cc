#include "base/json.h"

#include <charconv>
#include <cstdint>
#include <string>

#include "base/utf8.h"

namespace sluice {
namespace {

constexpr int kMaxDepth = 100;

// One text, from front to back.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Value> whole() {
    Value value;
    if (!parse(value, 0)) return std::nullopt;
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return value;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  bool parse(Value& out, int depth) {
    blanks();
    if (at_ == text_.size() || depth > kMaxDepth) return false;
    switch (text_[at_]) {
      case '{':
        return map(out, depth);
      case '[':
        return list(out, depth);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        out = Value(std::move(text));
        return true;
      }
      case 't':
        out = Value::boolean(true);
        return word("true");
      case 'f':
        out = Value::boolean(false);
        return word("false");
      case 'n':
        return word("null");
      default:
        return number(out);
    }
  }

  bool map(Value& out, int depth) {
    ++at_;
    Value::Map members;
    if (!take('}')) {
      do {
        blanks();
        std::string key;
        Value value;
        if (at_ == text_.size() || text_[at_] != '"' || !string(key) || !take(':') || !parse(value, depth + 1))
          return false;
        members.set(key, std::move(value));
      } while (take(','));
      if (!take('}')) return false;
    }
    out = Value(std::move(members));
    return true;
  }

  bool list(Value& out, int depth) {
    ++at_;
    Value::List items;
    if (!take(']')) {
      do {
        if (!parse(items.emplace_back(), depth + 1)) return false;
      } while (take(','));
      if (!take(']')) return false;
    }
    out = Value(std::move(items));
    return true;
  }

  bool hex(uint32_t& out) {
    if (text_.size() - at_ < 4) return false;
    const char* const end = text_.data() + at_ + 4;
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, out, 16);
    at_ += 4;
    return error == std::errc() && stop == end;
  }

  bool escape(std::string& to) {
    if (at_ == text_.size()) return false;
    switch (const char c = text_[at_++]) {
      case '"':
      case '\\':
      case '/':
        to += c;
        return true;
      case 'b':
        to += '\b';
        return true;
      case 'f':
        to += '\f';
        return true;
      case 'n':
        to += '\n';
        return true;
      case 'r':
        to += '\r';
        return true;
      case 't':
        to += '\t';
        return true;
      case 'u':
        break;
      default:
        return false;
    }
    uint32_t code = 0;
    if (!hex(code) || (code >= 0xdc00 && code < 0xe000)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      uint32_t low = 0;
      if (!word("\\u") || !hex(low) || low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(to, code);
    return true;
  }

  bool string(std::string& to) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return is_utf8(to);
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        to += c;
      } else if (!escape(to)) {
        return false;
      }
    }
    return false;
  }

  bool number(Value& out) {
    const size_t begin = at_;
    const auto digits = [this] {
      const size_t first = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - first;
    };
    if (text_[at_] == '-') ++at_;
    const size_t whole = at_;
    const size_t count = digits();
    if (count == 0 || (count > 1 && text_[whole] == '0')) return false;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (digits() == 0) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) return false;
    }
    double value = 0;
    if (std::from_chars(text_.data() + begin, text_.data() + at_, value).ec != std::errc()) return false;
    out = Value::number(value);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Value> parse_json(std::string_view text) { return Parser(text).whole(); }

}  // namespace sluice
