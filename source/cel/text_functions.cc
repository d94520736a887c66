// Texts, and what is common to texts and containers. matches() is a node of its own.
#include "base/utf8.h"
#include "cel/functions.h"

namespace sluice::cel {
namespace {

using Kind = Value::Kind;
using Arguments = std::span<const Value>;

// Characters of a text. What is no UTF-8 (header values may be anything) counts a byte as one.
size_t characters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    text.remove_prefix(length == 0 ? 1 : length);
    ++count;
  }
  return count;
}

Value size(Arguments v, Evaluation& evaluation) {
  size_t count = 0;
  switch (v[0].kind) {
    case Kind::kString:
      count = characters(v[0].text);
      break;
    case Kind::kBytes:
      count = v[0].text.size();
      break;
    case Kind::kList:
    case Kind::kMap:
      count = size_of(v[0], evaluation);
      break;
    default:
      return Value::error();
  }
  return Value::integer(static_cast<int64_t>(count));
}

bool are_texts(Arguments v) { return v[0].is(Kind::kString) && v[1].is(Kind::kString); }

Value contains(Arguments v, Evaluation&) {
  return are_texts(v) ? Value::boolean(v[0].text.find(v[1].text) != std::string_view::npos) : Value::error();
}
Value starts_with(Arguments v, Evaluation&) {
  return are_texts(v) ? Value::boolean(v[0].text.starts_with(v[1].text)) : Value::error();
}
Value ends_with(Arguments v, Evaluation&) {
  return are_texts(v) ? Value::boolean(v[0].text.ends_with(v[1].text)) : Value::error();
}

constexpr Function kTexts[] = {
    {"size", Function::Style::kEither, 1, size},
    {"contains", Function::Style::kEither, 2, contains},
    {"startsWith", Function::Style::kEither, 2, starts_with},
    {"endsWith", Function::Style::kEither, 2, ends_with},
};

}  // namespace

std::span<const Function> text_functions() { return kTexts; }

}  // namespace sluice::cel
