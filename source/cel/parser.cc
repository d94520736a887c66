#include "cel/parser.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/strings.h"
#include "cel/lexer.h"

namespace sluice::cel {
namespace {

constexpr size_t kMaxText = 100'000;

constexpr std::string_view kReserved[] = {"as",        "break",  "const",  "continue", "else", "for",
                                          "function",  "if",     "import", "let",      "loop", "package",
                                          "namespace", "return", "var",    "void",     "while"};
// They would run a part of the expression for each element. Envoy does not allow them, either.
constexpr std::string_view kLoops[] = {"all", "exists", "exists_one", "map", "filter"};

template <typename List>
bool is_one_of(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// Each method reads what its name says and leaves at_ behind it. The first error ends it all: from then on every token
// is the end.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Node> run() {
    Node whole = expression();
    if (peek().kind != Token::Kind::kEnd) fail("something is left behind the end of the expression");
    if (!error_.text.empty()) return error_;
    return whole;
  }

 private:
  // ---- tokens

  const Token& peek() const { return error_.text.empty() ? tokens_[at_] : tokens_.back(); }
  bool next_is(std::string_view symbol) const { return peek().is(symbol); }
  const Token& take() {
    const Token& token = peek();
    if (token.kind != Token::Kind::kEnd) ++at_;
    return token;
  }
  bool take_if(std::string_view symbol) {
    if (!next_is(symbol)) return false;
    take();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take_if(symbol)) fail(cat("there must be a '", symbol, "'"));
  }
  void fail(std::string_view what) { fail_at(peek().column, what); }
  void fail_at(size_t column, std::string_view what) {
    if (error_.text.empty()) error_ = wrong_at(column, what);
  }

  // ---- nodes

  Node node(Node::Kind kind, std::vector<Node> operands = {}, std::string_view text = {}) {
    Node out;
    out.kind = kind;
    out.text = text;
    for (const Node& operand : operands) out.depth = std::max(out.depth, operand.depth + 1);
    if (out.depth > Node::kMaxDepth) fail(cat("it is nested more than ", Node::kMaxDepth, " deep"));
    out.operands = std::move(operands);
    return out;
  }

  static Node constant(Value value, std::string text = {}) {
    Node out;
    out.constant = value;
    out.text = std::move(text);
    return out;
  }

  template <typename... Operands>
  static std::vector<Node> list(Operands... operands) {
    std::vector<Node> out;
    (out.push_back(std::move(operands)), ...);
    return out;
  }

  Node call(const Function* function, std::vector<Node> operands) {
    Node out = node(Node::Kind::kCall, std::move(operands));
    out.function = function;
    return out;
  }

  // ---- operators, from those that bind least

  Node expression() {
    if (++depth_ > Node::kMaxDepth) fail(cat("it is nested more than ", Node::kMaxDepth, " deep"));
    Node condition = either();
    if (take_if("?")) {
      Node yes = either();
      expect(":");
      Node no = expression();
      condition = node(Node::Kind::kConditional, list(std::move(condition), std::move(yes), std::move(no)));
    }
    --depth_;
    return condition;
  }

  Node either() { return joined("||", Node::Kind::kAny, &Parser::both); }
  Node both() { return joined("&&", Node::Kind::kAll, &Parser::relation); }

  Node joined(std::string_view symbol, Node::Kind kind, Node (Parser::*part)()) {
    std::vector<Node> parts = list((this->*part)());
    while (take_if(symbol)) parts.push_back((this->*part)());
    return parts.size() == 1 ? std::move(parts.front()) : node(kind, std::move(parts));
  }

  Node relation() { return operation({"<", "<=", ">", ">=", "==", "!=", "in"}, &Parser::sum); }
  Node sum() { return operation({"+", "-"}, &Parser::product); }
  Node product() { return operation({"*", "/", "%"}, &Parser::unary); }

  Node operation(std::initializer_list<std::string_view> symbols, Node (Parser::*part)()) {
    Node left = (this->*part)();
    while (peek().kind == Token::Kind::kSymbol && is_one_of(symbols, peek().text)) {
      const Function* function = find_operator(take().text);
      left = call(function, list(std::move(left), (this->*part)()));
    }
    return left;
  }

  Node unary() {
    const std::string_view sign = next_is("!") ? "!" : "-";
    size_t count = 0;
    for (; next_is(sign); ++count) {
      // The sign of a number belongs to it, for the least integer has no counterpart.
      const Token::Kind behind = tokens_[at_ + 1].kind;
      if (sign == "-" && (behind == Token::Kind::kInt || behind == Token::Kind::kDouble)) break;
      take();
    }
    Node operand = member();
    if (count % 2 == 0) return operand;
    return call(find_operator(sign == "!" ? "!x" : "-x"), list(std::move(operand)));
  }

  // ---- what stands between operators

  Node member() {
    Node out = primary();
    while (error_.text.empty()) {
      if (take_if("[")) {
        if (next_is("?")) fail("optional elements are not supported");
        Node index = expression();
        expect("]");
        if (out.kind == Node::Kind::kRoot) check_supported(out, index.text);
        out = node(Node::Kind::kIndex, list(std::move(out), std::move(index)));
      } else if (take_if(".")) {
        if (next_is("?")) fail("optional fields are not supported");
        out = selection(std::move(out));
      } else {
        return out;
      }
    }
    return out;
  }

  Node selection(Node of) {
    const Token& field = take();
    if (field.kind == Token::Kind::kQuotedField) return select(Node::Kind::kSelect, std::move(of), field.value);
    if (field.kind != Token::Kind::kIdentifier) {
      fail_at(field.column, "there must be the name of a field or a function");
      return of;
    }
    if (next_is("{")) fail("messages cannot be made: not supported");
    return take_if("(") ? function_of(std::move(of), field) : select(Node::Kind::kSelect, std::move(of), field.text);
  }

  // The attribute of that name below a root; null: there is none.
  const Attribute* check_supported(const Node& root, std::string_view field) {
    const Attribute* attribute = find_attribute(root.constant.root, field);
    if (attribute != nullptr && attribute->value == nullptr) fail(cat(root.text, ".", field, " is not supported"));
    return attribute;
  }

  Node select(Node::Kind kind, Node of, std::string_view field) {
    const Attribute* attribute = of.kind == Node::Kind::kRoot ? check_supported(of, field) : nullptr;
    Node out = node(kind, list(std::move(of)), field);
    out.attribute = attribute;
    return out;
  }

  Node primary() {
    const Token& token = peek();
    switch (token.kind) {
      case Token::Kind::kInt:
      case Token::Kind::kUint:
      case Token::Kind::kDouble:
        return number("");
      case Token::Kind::kString:
        take();
        return constant(Value::string({}), token.value);
      case Token::Kind::kBytes:
        take();
        return constant(Value::bytes({}), token.value);
      case Token::Kind::kIdentifier:
        return name();
      case Token::Kind::kSymbol:
        return symbol();
      default:
        break;
    }
    fail("there must be a value");
    return constant(Value::error());
  }

  Node symbol() {
    if (take_if("true")) return constant(Value::boolean(true));
    if (take_if("false")) return constant(Value::boolean(false));
    if (take_if("null")) return constant(Value::null());
    if (take_if("-")) return number("-");
    if (take_if(".")) return name();
    if (take_if("(")) {
      Node inside = expression();
      expect(")");
      return inside;
    }
    if (take_if("[")) return node(Node::Kind::kList, sequence("]", false));
    if (take_if("{")) return node(Node::Kind::kMap, sequence("}", true));
    fail("there must be a value");
    return constant(Value::error());
  }

  // Values, or keys with values, up to that bracket. There may be a comma behind the last.
  std::vector<Node> sequence(std::string_view end, bool pairs) {
    std::vector<Node> out;
    while (!next_is(end) && error_.text.empty()) {
      if (next_is("?")) fail("optional elements are not supported");
      out.push_back(expression());
      if (pairs) {
        expect(":");
        out.push_back(expression());
      }
      if (!take_if(",")) break;
    }
    expect(end);
    return out;
  }

  Node number(std::string_view sign) {
    const Token& token = take();
    if (token.kind == Token::Kind::kDouble) {
      return constant(Value::floating(std::strtod(cat(sign, token.text).c_str(), nullptr)));
    }
    const bool hex = token.text.starts_with("0x") || token.text.starts_with("0X");
    errno = 0;
    char* end = nullptr;
    const std::string digits(hex ? token.text.substr(2) : token.text);
    const uint64_t magnitude = std::strtoull(digits.c_str(), &end, hex ? 16 : 10);
    const uint64_t most = token.kind == Token::Kind::kUint ? UINT64_MAX
                          : sign.empty()                   ? uint64_t{INT64_MAX}
                                                           : uint64_t{INT64_MAX} + 1;
    if (errno != 0 || magnitude > most) fail_at(token.column, "the number is too large");
    if (token.kind == Token::Kind::kUint) return constant(Value::natural_number(magnitude));
    return constant(Value::integer(static_cast<int64_t>(sign.empty() ? magnitude : 0 - magnitude)));
  }

  // A root, the name of a type, or a function.
  Node name() {
    const Token& token = take();
    if (token.kind != Token::Kind::kIdentifier) {
      fail_at(token.column, "there must be a name");
      return constant(Value::error());
    }
    if (is_one_of(kReserved, token.text)) fail_at(token.column, cat("'", token.text, "' is reserved"));
    if (next_is("{")) fail("messages cannot be made: not supported");
    if (take_if("(")) return function(token);
    if (const std::optional<Root> root = find_root(token.text)) {
      Node out = constant(Value::attributes(*root), std::string(token.text));
      out.kind = Node::Kind::kRoot;
      return out;
    }
    if (token.text == "metadata") return node(Node::Kind::kMetadata);
    if (token.text == "upstream_filter_state") fail_at(token.column, "upstream_filter_state is not supported");
    if (const std::optional<Value::Kind> type = type_named(token.text)) return constant(Value::type_of(*type));
    return node(Node::Kind::kUnknownName);
  }

  static std::optional<Value::Kind> type_named(std::string_view name) {
    constexpr std::pair<std::string_view, Value::Kind> kTypes[] = {
        {"null_type", Value::Kind::kNull}, {"bool", Value::Kind::kBool},     {"int", Value::Kind::kInt},
        {"uint", Value::Kind::kUint},      {"double", Value::Kind::kDouble}, {"string", Value::Kind::kString},
        {"bytes", Value::Kind::kBytes},    {"list", Value::Kind::kList},     {"map", Value::Kind::kMap},
        {"type", Value::Kind::kType}};
    for (const auto& [known, kind] : kTypes) {
      if (known == name) return kind;
    }
    return std::nullopt;
  }

  // ---- functions; behind their opening bracket

  std::vector<Node> arguments() {
    std::vector<Node> out;
    if (!next_is(")")) {
      do {
        out.push_back(expression());
      } while (take_if(","));
    }
    expect(")");
    return out;
  }

  Node function(const Token& token) {
    std::vector<Node> operands = arguments();
    if (token.text == "has" && operands.size() == 1) return presence(std::move(operands.front()), token);
    return call_of(token, std::move(operands), false);
  }

  Node presence(Node field, const Token& token) {
    if (field.kind != Node::Kind::kSelect) {
      fail_at(token.column, "has() is about a field: has(a.b)");
      return field;
    }
    field.kind = Node::Kind::kHas;
    return field;
  }

  Node function_of(Node receiver, const Token& token) {
    std::vector<Node> operands = list(std::move(receiver));
    for (Node& one : arguments()) operands.push_back(std::move(one));
    if (is_one_of(kLoops, token.text)) {
      fail_at(token.column, cat(token.text, "() is not supported: loops over elements are not allowed"));
    }
    return call_of(token, std::move(operands), true);
  }

  Node call_of(const Token& token, std::vector<Node> operands, bool of_receiver) {
    if (token.text == "matches" && operands.size() == 2) return pattern(token, std::move(operands));
    const Function* function = find_function(token.text, operands.size(), of_receiver);
    if (function == nullptr) {
      fail_at(token.column,
              cat("there is no function ", token.text, "() with these arguments, or it is not supported"));
    }
    check_time_zone(token, operands);
    return call(function, std::move(operands));
  }

  Node pattern(const Token& token, std::vector<Node> operands) {
    const Node& written = operands.back();
    if (written.kind != Node::Kind::kConstant || !written.constant.is(Value::Kind::kString)) {
      fail_at(token.column, "matches() needs a pattern that stands there as a string: others are not supported");
      return written;
    }
    // It is found anywhere in the text.
    auto alone = match::Regex::compile(written.text);
    auto found = match::Regex::compile(cat("(?s:.*)(?:", written.text, ")(?s:.*)"), match::Regex::kMaxProgramSize + 20);
    if (!alone || !found) {
      fail_at(token.column, alone ? found.error() : alone.error());
      return std::move(operands.front());
    }
    Node out = node(Node::Kind::kMatches, list(std::move(operands.front())));
    out.regex = std::move(*found);
    return out;
  }

  // The zone of getHours() and its kin.
  void check_time_zone(const Token& token, const std::vector<Node>& operands) {
    if (operands.size() != 2 || !token.text.starts_with("get")) return;
    const Node& zone = operands.back();
    int64_t offset = 0;
    const bool known = zone.kind == Node::Kind::kConstant && zone.constant.is(Value::Kind::kString) &&
                       read_time_zone(zone.text, offset);
    if (!known) fail_at(token.column, "of time zones, only UTC and offsets as \"+01:00\" are supported");
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  Error error_;
};

}  // namespace

Result<Node> parse(std::string_view text) {
  if (text.size() > kMaxText) return Error{cat("the expression has more than ", kMaxText, " bytes")};
  Result<std::vector<Token>> tokens = tokens_of(text);
  if (!tokens) return Error{tokens.error()};
  return Parser(std::move(*tokens)).run();
}

}  // namespace sluice::cel
