// The command operators, as rows of tables: name, what it takes in brackets, and the function that writes its value.
// Only Formatter (formatter.h) uses this.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/facts.h"
#include "http/token.h"

namespace sluice::format {

struct Operator;

// One part of a compiled format: literal text, or an operator with its arguments. Immutable. Thread: any.
struct Piece {
  static constexpr uint32_t kNoLimit = UINT32_MAX;

  const Operator* op = nullptr;  // null: `text` as it stands
  std::string text;              // literal, header name, time format, variable's value ...
  std::string other;             // second header name
  std::vector<Piece> choices;    // of COALESCE
  uint32_t limit = kNoLimit;     // bytes (:Z)
  uint32_t option = 0;           // what the argument chose, by operator
  uint32_t option_2 = 0;
  http::Token token = http::Token::kNone;  // of `text` and `other`, when they are headers
  http::Token other_token = http::Token::kNone;
};

// Appends the value, or returns false and appends nothing when it is unset.
using AppendValue = bool (*)(std::string& to, const Facts& facts, const Piece& piece);
// Reads what stands in brackets (empty when there is nothing).
using Prepare = Result<void> (*)(std::string_view argument, Piece& piece);

struct Operator {
  enum class Argument : uint8_t { kNone, kOptional, kRequired };
  enum class Length : uint8_t { kNo, kYes };
  enum class Type : uint8_t { kText, kNumber };  // how JSON shows it when it stands alone

  std::string_view name;
  Argument argument;
  Length length;
  Type type;
  AppendValue append;
  Prepare prepare = nullptr;
  AppendValue append_json = nullptr;  // standing alone in JSON: a whole JSON value; null: text or a number
};

// By theme; each in the .cc of that name.
std::span<const Operator> header_operators();
std::span<const Operator> time_operators();
std::span<const Operator> connection_operators();
std::span<const Operator> exchange_operators();
std::span<const Operator> metadata_operators();
std::span<const Operator> choice_operators();

// Null when there is none of that name.
const Operator* find_operator(std::string_view name);
// Envoy's operators that this proxy does not have (yet).
bool is_known_elsewhere(std::string_view name);

// ---- for the tables
inline constexpr auto kNoArgument = Operator::Argument::kNone;
inline constexpr auto kMayHaveArgument = Operator::Argument::kOptional;
inline constexpr auto kNeedsArgument = Operator::Argument::kRequired;
inline constexpr auto kWhole = Operator::Length::kNo;
inline constexpr auto kCanBeCut = Operator::Length::kYes;
inline constexpr auto kText = Operator::Type::kText;
inline constexpr auto kNumber = Operator::Type::kNumber;

bool put_number(std::string& to, uint64_t value);                  // always true
bool put_text(std::string& to, std::string_view value);            // false when empty
bool put_without_blanks(std::string& to, std::string_view value);  // blanks become '_'; false when empty

template <auto Member>
bool count(std::string& to, const Facts& facts, const Piece&) {
  return put_number(to, facts.*Member);
}
template <auto Member>
bool text(std::string& to, const Facts& facts, const Piece&) {
  return put_text(to, facts.*Member);
}

}  // namespace sluice::format
