// From one kind to another. Texts that do not fit are an error.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/strings.h"
#include "cel/functions.h"

namespace sluice::cel {
namespace {

using Kind = Value::Kind;
using Arguments = std::span<const Value>;

constexpr double kTwoTo63 = 9223372036854775808.0, kTwoTo64 = 18446744073709551616.0;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

template <typename T>
std::optional<T> number_in(std::string_view text) {
  text = without_blanks(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return parse_number<T>(text);
}

Value to_int(Arguments v, Evaluation&) {
  const Value& from = v[0];
  switch (from.kind) {
    case Kind::kInt:
      return from;
    case Kind::kUint:
      return from.natural <= uint64_t{INT64_MAX} ? Value::integer(static_cast<int64_t>(from.natural)) : Value::error();
    case Kind::kDouble:
      return from.real > -kTwoTo63 && from.real < kTwoTo63 ? Value::integer(static_cast<int64_t>(from.real))
                                                           : Value::error();
    case Kind::kBool:
      return Value::integer(from.truth ? 1 : 0);
    case Kind::kTimestamp:
      return Value::integer(from.time.whole);
    case Kind::kString: {
      const auto number = number_in<int64_t>(from.text);
      return number ? Value::integer(*number) : Value::error();
    }
    default:
      return Value::error();
  }
}

Value to_uint(Arguments v, Evaluation&) {
  const Value& from = v[0];
  switch (from.kind) {
    case Kind::kUint:
      return from;
    case Kind::kInt:
      return from.number >= 0 ? Value::natural_number(static_cast<uint64_t>(from.number)) : Value::error();
    case Kind::kDouble:
      return from.real >= 0 && from.real < kTwoTo64 ? Value::natural_number(static_cast<uint64_t>(from.real))
                                                    : Value::error();
    case Kind::kString: {
      const auto number = number_in<uint64_t>(from.text);
      return number ? Value::natural_number(*number) : Value::error();
    }
    default:
      return Value::error();
  }
}

Value to_double(Arguments v, Evaluation&) {
  const Value& from = v[0];
  if (from.is(Kind::kDouble)) return from;
  if (from.is(Kind::kInt)) return Value::floating(static_cast<double>(from.number));
  if (from.is(Kind::kUint)) return Value::floating(static_cast<double>(from.natural));
  if (!from.is(Kind::kString)) return Value::error();
  const std::string text(without_blanks(from.text));
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool whole = !text.empty() && end == text.c_str() + text.size() && text.find('(') == std::string::npos;
  return whole ? Value::floating(number) : Value::error();
}

Value to_bool(Arguments v, Evaluation&) {
  if (v[0].is(Kind::kBool)) return v[0];
  if (!v[0].is(Kind::kString)) return Value::error();
  for (const std::string_view yes : {"1", "t", "T", "true", "True", "TRUE"}) {
    if (v[0].text == yes) return Value::boolean(true);
  }
  for (const std::string_view no : {"0", "f", "F", "false", "False", "FALSE"}) {
    if (v[0].text == no) return Value::boolean(false);
  }
  return Value::error();
}

Value to_bytes(Arguments v, Evaluation&) {
  return v[0].is(Kind::kString) || v[0].is(Kind::kBytes) ? Value::bytes(v[0].text) : Value::error();
}

Value type_of_value(Arguments v, Evaluation&) { return Value::type_of(v[0].kind); }
Value as_it_is(Arguments v, Evaluation&) { return v[0]; }

constexpr Function kConversions[] = {
    {"int", Function::Style::kPlain, 1, to_int},       {"uint", Function::Style::kPlain, 1, to_uint},
    {"double", Function::Style::kPlain, 1, to_double}, {"bool", Function::Style::kPlain, 1, to_bool},
    {"bytes", Function::Style::kPlain, 1, to_bytes},   {"type", Function::Style::kPlain, 1, type_of_value},
    {"dyn", Function::Style::kPlain, 1, as_it_is},
};

}  // namespace

std::span<const Function> conversion_functions() { return kConversions; }

}  // namespace sluice::cel
