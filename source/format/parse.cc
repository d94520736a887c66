#include "format/parse.h"

#include "base/strings.h"

namespace sluice::format {
namespace {

// One operator as it is written: %NAME(argument):limit%.
struct Written {
  std::string_view name;
  std::string_view argument;
  std::optional<uint32_t> limit;
  size_t length = 0;  // with both percent signs
};

bool is_name(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What may follow the name or the brackets: an optional :Z and the closing percent sign. False: neither.
bool read_tail(std::string_view text, size_t at, Written& out) {
  if (at < text.size() && text[at] == ':') {
    size_t end = at + 1;
    while (end < text.size() && is_digit(text[end])) {
      ++end;
    }
    const auto limit = parse_number<uint32_t>(text.substr(at + 1, end - at - 1));
    if (!limit) {
      return false;
    }
    out.limit = limit;
    at = end;
  }
  out.length = at + 1;
  return at < text.size() && text[at] == '%';
}

// `text` begins with a percent sign. The argument ends at the first bracket behind which the operator can end, so it
// may contain brackets and percent signs itself.
bool read_operator(std::string_view text, Written& out) {
  size_t at = 1;
  while (at < text.size() && is_name(text[at])) {
    ++at;
  }
  if (at == 1) {
    return false;
  }
  out.name = text.substr(1, at - 1);
  if (at == text.size() || text[at] != '(') {
    return read_tail(text, at, out);
  }
  const size_t open = at;
  for (size_t close = open + 1; close < text.size() && text[close] != '\n'; ++close) {
    if (text[close] == ')' && read_tail(text, close + 1, out)) {
      out.argument = text.substr(open + 1, close - open - 1);
      return true;
    }
    out.limit.reset();
  }
  return false;
}

void add_literal(std::vector<Piece>& pieces, std::string_view text) {
  if (text.empty()) {
    return;
  }
  if (pieces.empty() || pieces.back().op != nullptr) {
    pieces.emplace_back();
  }
  pieces.back().text += text;
}

}  // namespace

Result<Piece> parse_operator(std::string_view name, std::string_view argument, std::optional<uint32_t> limit,
                             const ParseOptions& options) {
  const Operator* op = find_operator(name);
  if (op == nullptr || (name == "REQ_WITHOUT_QUERY" && !options.req_without_query)) {
    if (is_known_elsewhere(name)) {
      return Error{cat("not supported yet: ", name)};
    }
    return Error{op != nullptr ? cat("operator ", name, " needs its formatter extension")
                               : cat("unknown operator ", name)};
  }
  if (op->argument == kNeedsArgument && argument.empty()) {
    return Error{cat("operator ", name, " needs an argument in brackets")};
  }
  if (op->argument == kNoArgument && !argument.empty()) {
    return Error{cat("operator ", name, " takes no argument")};
  }
  if (op->length == kWhole && limit) {
    return Error{cat("operator ", name, " takes no length")};
  }
  Piece piece;
  piece.op = op;
  piece.limit = limit.value_or(Piece::kNoLimit);
  if (op->prepare != nullptr) {
    if (auto prepared = op->prepare(argument, piece); !prepared.ok()) {
      return Error{prepared.error()};
    }
  }
  return piece;
}

Result<std::vector<Piece>> parse_pieces(std::string_view text, const ParseOptions& options) {
  std::vector<Piece> pieces;
  size_t at = 0;
  while (at < text.size()) {
    const size_t percent = text.find('%', at);
    add_literal(pieces, text.substr(at, percent == std::string_view::npos ? percent : percent - at));
    if (percent == std::string_view::npos) {
      break;
    }
    if (text.substr(percent).starts_with("%%")) {
      add_literal(pieces, "%");
      at = percent + 2;
      continue;
    }
    Written written;
    if (!read_operator(text.substr(percent), written)) {
      return Error{cat("no operator at position ", percent, " of the format \"", text,
                       "\" (a percent sign itself is written %%)")};
    }
    auto piece = parse_operator(written.name, written.argument, written.limit, options);
    if (!piece.ok()) {
      return Error{piece.error()};
    }
    pieces.push_back(std::move(*piece));
    at = percent + written.length;
  }
  return pieces;
}

}  // namespace sluice::format
