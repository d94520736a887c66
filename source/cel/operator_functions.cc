// Arithmetic, comparisons, and `in`.
#include <cmath>

#include "cel/functions.h"

namespace sluice::cel {
namespace {

using Kind = Value::Kind;
using Arguments = std::span<const Value>;

bool are(Arguments values, Kind kind) { return values[0].is(kind) && values[1].is(kind); }

// What overflows is an error.
template <typename T>
std::optional<T> sum_of(T a, T b) {
  T out;
  return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(out);
}
template <typename T>
std::optional<T> difference_of(T a, T b) {
  T out;
  return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(out);
}
template <typename T>
std::optional<T> product_of(T a, T b) {
  T out;
  return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(out);
}
// -1 would overflow for the least of all.
bool can_divide(int64_t a, int64_t b) { return b != 0 && (b != -1 || a != INT64_MIN); }

Value int_or_error(std::optional<int64_t> number) { return number ? Value::integer(*number) : Value::error(); }
Value uint_or_error(std::optional<uint64_t> number) { return number ? Value::natural_number(*number) : Value::error(); }

constexpr int32_t kBillion = 1'000'000'000;

std::optional<Seconds> added(Seconds a, Seconds b) {
  const int32_t nanoseconds = a.nanoseconds + b.nanoseconds;
  std::optional<int64_t> whole = sum_of(a.whole, b.whole);
  if (whole) whole = sum_of<int64_t>(*whole, nanoseconds >= kBillion ? 1 : 0);
  return whole ? std::optional(Seconds{*whole, nanoseconds % kBillion}) : std::nullopt;
}

std::optional<Seconds> subtracted(Seconds a, Seconds b) {
  const int32_t nanoseconds = a.nanoseconds - b.nanoseconds;
  std::optional<int64_t> whole = difference_of(a.whole, b.whole);
  if (whole) whole = difference_of<int64_t>(*whole, nanoseconds < 0 ? 1 : 0);
  return whole ? std::optional(Seconds{*whole, nanoseconds < 0 ? nanoseconds + kBillion : nanoseconds}) : std::nullopt;
}

Value duration_or_error(std::optional<Seconds> time) { return time ? Value::duration(*time) : Value::error(); }
Value timestamp_or_error(std::optional<Seconds> time) { return time ? Value::timestamp(*time) : Value::error(); }

Value plus(Arguments v, Evaluation&) {
  const Value &a = v[0], &b = v[1];
  if (are(v, Kind::kInt)) return int_or_error(sum_of(a.number, b.number));
  if (are(v, Kind::kUint)) return uint_or_error(sum_of(a.natural, b.natural));
  if (are(v, Kind::kDouble)) return Value::floating(a.real + b.real);
  if (are(v, Kind::kDuration)) return duration_or_error(added(a.time, b.time));
  const bool moment =
      (a.is(Kind::kTimestamp) && b.is(Kind::kDuration)) || (a.is(Kind::kDuration) && b.is(Kind::kTimestamp));
  return moment ? timestamp_or_error(added(a.time, b.time)) : Value::error();
}

Value minus(Arguments v, Evaluation&) {
  const Value &a = v[0], &b = v[1];
  if (are(v, Kind::kInt)) return int_or_error(difference_of(a.number, b.number));
  if (are(v, Kind::kUint)) return uint_or_error(difference_of(a.natural, b.natural));
  if (are(v, Kind::kDouble)) return Value::floating(a.real - b.real);
  if (are(v, Kind::kDuration) || are(v, Kind::kTimestamp)) return duration_or_error(subtracted(a.time, b.time));
  return a.is(Kind::kTimestamp) && b.is(Kind::kDuration) ? timestamp_or_error(subtracted(a.time, b.time))
                                                         : Value::error();
}

Value times(Arguments v, Evaluation&) {
  if (are(v, Kind::kInt)) return int_or_error(product_of(v[0].number, v[1].number));
  if (are(v, Kind::kUint)) return uint_or_error(product_of(v[0].natural, v[1].natural));
  return are(v, Kind::kDouble) ? Value::floating(v[0].real * v[1].real) : Value::error();
}

Value divided_by(Arguments v, Evaluation&) {
  if (are(v, Kind::kInt) && can_divide(v[0].number, v[1].number)) return Value::integer(v[0].number / v[1].number);
  if (are(v, Kind::kUint) && v[1].natural != 0) return Value::natural_number(v[0].natural / v[1].natural);
  return are(v, Kind::kDouble) ? Value::floating(v[0].real / v[1].real) : Value::error();
}

Value modulo(Arguments v, Evaluation&) {
  if (are(v, Kind::kInt) && can_divide(v[0].number, v[1].number)) return Value::integer(v[0].number % v[1].number);
  return are(v, Kind::kUint) && v[1].natural != 0 ? Value::natural_number(v[0].natural % v[1].natural) : Value::error();
}

Value negated(Arguments v, Evaluation&) {
  if (v[0].is(Kind::kInt)) return int_or_error(difference_of<int64_t>(0, v[0].number));
  return v[0].is(Kind::kDouble) ? Value::floating(-v[0].real) : Value::error();
}

Value inverted(Arguments v, Evaluation&) { return v[0].is(Kind::kBool) ? Value::boolean(!v[0].truth) : Value::error(); }

// Numbers that have no order (NaN) are not below, above or equal; other values without an order are an error.
template <typename Holds>
Value ordered(Arguments v, Holds holds) {
  const std::optional<int> order = compare(v[0], v[1]);
  if (order) return Value::boolean(holds(*order));
  return v[0].is_number() && v[1].is_number() ? Value::boolean(false) : Value::error();
}

Value is_below(Arguments v, Evaluation&) {
  return ordered(v, [](int order) { return order < 0; });
}
Value is_at_most(Arguments v, Evaluation&) {
  return ordered(v, [](int order) { return order <= 0; });
}
Value is_above(Arguments v, Evaluation&) {
  return ordered(v, [](int order) { return order > 0; });
}
Value is_at_least(Arguments v, Evaluation&) {
  return ordered(v, [](int order) { return order >= 0; });
}
Value is_equal(Arguments v, Evaluation& evaluation) { return Value::boolean(equal(v[0], v[1], evaluation)); }
Value is_different(Arguments v, Evaluation& evaluation) { return Value::boolean(!equal(v[0], v[1], evaluation)); }

Value is_in(Arguments v, Evaluation& evaluation) {
  if (v[1].is(Kind::kMap)) return Value::boolean(find(v[1], v[0], evaluation).has_value());
  if (!v[1].is(Kind::kList)) return Value::error();
  const size_t size = size_of(v[1], evaluation);
  for (size_t i = 0; i < size; ++i) {
    if (equal(v[0], element_of(v[1], i), evaluation)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

constexpr Function kOperators[] = {
    {"+", Function::Style::kPlain, 2, plus},          {"-", Function::Style::kPlain, 2, minus},
    {"*", Function::Style::kPlain, 2, times},         {"/", Function::Style::kPlain, 2, divided_by},
    {"%", Function::Style::kPlain, 2, modulo},        {"<", Function::Style::kPlain, 2, is_below},
    {"<=", Function::Style::kPlain, 2, is_at_most},   {">", Function::Style::kPlain, 2, is_above},
    {">=", Function::Style::kPlain, 2, is_at_least},  {"==", Function::Style::kPlain, 2, is_equal},
    {"!=", Function::Style::kPlain, 2, is_different}, {"in", Function::Style::kPlain, 2, is_in},
    {"!x", Function::Style::kPlain, 1, inverted},     {"-x", Function::Style::kPlain, 1, negated},
};

}  // namespace

std::span<const Function> operator_functions() { return kOperators; }

}  // namespace sluice::cel
