#include "cel/lexer.h"

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"

namespace sluice::cel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

// Longer ones first.
constexpr std::string_view kSymbols[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/",
                                         "%",  "!",  "?",  ":",  "(",  ")",  "[", "]", "{", "}", ".", ","};
constexpr std::string_view kWords[] = {"in", "true", "false", "null"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (skip_blanks(), at_ < text_.size()) {
      Token token;
      token.column = at_ + 1;
      if (Result<void> done = read(token); !done) return Error{done.error()};
      out_.push_back(std::move(token));
    }
    out_.emplace_back().column = at_ + 1;
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool looking_at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (std::string_view(" \t\r\n\f").find(peek()) != std::string_view::npos) {
        ++at_;
      } else if (looking_at("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }

  Result<void> read(Token& token) {
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
      read_number(token);
      return {};
    }
    if (const size_t prefix = prefix_of_string(); prefix != std::string_view::npos) return read_string(token, prefix);
    if (is_letter(peek()) || peek() == '_') {
      const size_t begin = at_;
      while (is_word(peek())) ++at_;
      token.text = text_.substr(begin, at_ - begin);
      const bool symbol = std::find(std::begin(kWords), std::end(kWords), token.text) != std::end(kWords);
      token.kind = symbol ? Token::Kind::kSymbol : Token::Kind::kIdentifier;
      return {};
    }
    if (peek() == '`') return read_quoted_field(token);
    for (const std::string_view symbol : kSymbols) {
      if (!looking_at(symbol)) continue;
      token.kind = Token::Kind::kSymbol;
      token.text = symbol;
      at_ += symbol.size();
      return {};
    }
    return wrong_at(at_ + 1, "there is no operator that begins so");
  }

  void read_number(Token& token) {
    const size_t begin = at_;
    token.kind = Token::Kind::kInt;
    if (peek() == '0' && lower(peek(1)) == 'x' && is_hex(peek(2))) {
      at_ += 2;
      while (is_hex(peek())) ++at_;
    } else {
      while (is_digit(peek())) ++at_;
      if (peek() == '.' && is_digit(peek(1))) {
        token.kind = Token::Kind::kDouble;
        ++at_;
        while (is_digit(peek())) ++at_;
      }
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (lower(peek()) == 'e' && is_digit(peek(1 + sign))) {
        token.kind = Token::Kind::kDouble;
        at_ += 1 + sign;
        while (is_digit(peek())) ++at_;
      }
    }
    token.text = text_.substr(begin, at_ - begin);
    if (token.kind == Token::Kind::kInt && lower(peek()) == 'u') {
      token.kind = Token::Kind::kUint;
      ++at_;
    }
  }

  // How many letters stand before the quote; npos: this is no string.
  size_t prefix_of_string() const {
    size_t letters = 0;
    if (lower(peek()) == 'b') ++letters;
    if (lower(peek(letters)) == 'r') ++letters;
    return peek(letters) == '"' || peek(letters) == '\'' ? letters : std::string_view::npos;
  }

  Result<void> read_string(Token& token, size_t letters) {
    const size_t begin = at_;
    const bool bytes = lower(peek()) == 'b', raw = letters != 0 && lower(peek(letters - 1)) == 'r';
    at_ += letters;
    const std::string_view one = text_.substr(at_, 1), three = text_.substr(at_, 3);
    const bool is_long = three == "'''" || three == "\"\"\"";
    const std::string_view quote = is_long ? three : one;
    token.kind = bytes ? Token::Kind::kBytes : Token::Kind::kString;
    at_ += quote.size();
    while (!looking_at(quote)) {
      if (at_ >= text_.size()) return wrong_at(begin + 1, "the string does not end");
      if (!is_long && (peek() == '\n' || peek() == '\r'))
        return wrong_at(begin + 1, "the string does not end on its line");
      if (peek() != '\\' || raw) {
        token.value += text_[at_++];
      } else if (!read_escape(token.value, bytes)) {
        return wrong_at(at_ + 1, "this escape does not exist here");
      }
    }
    at_ += quote.size();
    token.text = text_.substr(begin, at_ - begin);
    return {};
  }

  // False: it is none.
  bool read_escape(std::string& to, bool bytes) {
    constexpr std::string_view kLetters = "abfnrtv\\'\"`?", kMeanings = "\a\b\f\n\r\t\v\\'\"`?";
    const char letter = peek(1);
    if (const size_t known = kLetters.find(letter); known != std::string_view::npos && at_ + 1 < text_.size()) {
      to += kMeanings[known];
      at_ += 2;
      return true;
    }
    if (letter >= '0' && letter <= '3') return read_code(to, bytes, 1, 3, 8);
    if (lower(letter) == 'x') return read_code(to, bytes, 2, 2, 16);
    if (letter == 'u' && !bytes) return read_code(to, bytes, 2, 4, 16);
    if (letter == 'U' && !bytes) return read_code(to, bytes, 2, 8, 16);
    return false;
  }

  bool read_code(std::string& to, bool bytes, size_t skip, size_t digits, uint32_t base) {
    const std::string_view written = text_.substr(std::min(at_ + skip, text_.size()), digits);
    uint32_t code = 0;
    for (const char c : written) {
      const uint32_t digit = is_digit(c) ? static_cast<uint32_t>(c - '0')
                             : is_hex(c) ? static_cast<uint32_t>(lower(c) - 'a' + 10)
                                         : 99;
      if (digit >= base) return false;
      code = code * base + digit;
    }
    if (written.size() != digits || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    if (bytes) {
      to += static_cast<char>(code);
    } else {
      append_utf8(to, code);
    }
    at_ += skip + digits;
    return true;
  }

  Result<void> read_quoted_field(Token& token) {
    const size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos || end == at_ + 1)
      return wrong_at(at_ + 1, "the name between back quotes does not end");
    token.kind = Token::Kind::kQuotedField;
    token.text = text_.substr(at_, end + 1 - at_);
    token.value = text_.substr(at_ + 1, end - at_ - 1);
    const bool allowed = std::all_of(token.value.begin(), token.value.end(), [](char c) {
      return is_word(c) || std::string_view("./- ").find(c) != std::string_view::npos;
    });
    if (!allowed) return wrong_at(at_ + 1, "a name between back quotes has letters, digits and _ . - / only");
    at_ = end + 1;
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Token> out_;
};

}  // namespace

Error wrong_at(size_t column, std::string_view what) { return Error{cat("column ", column, ": ", what)}; }

Result<std::vector<Token>> tokens_of(std::string_view text) {
  if (!is_utf8(text)) return Error{"the text is not UTF-8"};
  return Lexer(text).run();
}

}  // namespace sluice::cel
