// The functions and operators of the expression language: those that Envoy has when nothing else is switched on.
// https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "cel/value.h"

namespace sluice::cel {

// Static. Thread: any.
struct Function {
  // f(a, b), a.f(b), or both.
  enum class Style : uint8_t { kPlain, kOfReceiver, kEither };

  std::string_view name;  // operators: as they are written; unary ones with an 'x' behind
  Style style;
  uint8_t arguments;  // the receiver is one of them
  // None of them is an error. What does not suit the function is one.
  Value (*apply)(std::span<const Value> arguments, Evaluation& evaluation);
};

// Null when there is none. `of_receiver`: it is called as a.f(b).
const Function* find_function(std::string_view name, size_t arguments, bool of_receiver);
const Function* find_operator(std::string_view name);

// By theme; each in the .cc of that name.
std::span<const Function> operator_functions();
std::span<const Function> text_functions();
std::span<const Function> conversion_functions();
std::span<const Function> time_functions();

// The offset in a text like "+01:00" or "UTC" in seconds; false: it is none. Names of places are none: what they mean
// changes with a data base.
bool read_time_zone(std::string_view text, int64_t& offset);

}  // namespace sluice::cel
