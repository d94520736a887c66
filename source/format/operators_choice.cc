// COALESCE: the first of several operators that has a value. They stand in brackets as JSON,
// {"operators": ["PROTOCOL", {"command": "REQ", "param": "x-id", "max_length": 8}]}.
#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "format/json_plan.h"
#include "format/operators.h"
#include "format/parse.h"

namespace sluice::format {
namespace {

bool first_set(std::string& to, const Facts& facts, const Piece& piece) {
  for (const Piece& choice : piece.choices) {
    const size_t start = to.size();
    if (choice.op->append(to, facts, choice)) {
      if (to.size() - start > choice.limit) to.resize(start + choice.limit);
      return true;
    }
  }
  return false;
}

bool first_set_json(std::string& to, const Facts& facts, const Piece& piece) {
  for (const Piece& choice : piece.choices) {
    if (append_json_piece(to, facts, choice)) return true;
  }
  return false;
}

Result<Piece> parse_choice(const Value& entry) {
  if (const std::string* name = entry.as_text()) return parse_operator(*name, "", std::nullopt, {});
  const Value::Map* map = entry.as_map();
  const Value* command = map == nullptr ? nullptr : map->find("command");
  if (command == nullptr || command->as_text() == nullptr) {
    return Error{"needs a name, or a map with a command"};
  }
  std::string_view param;
  if (const Value* given = map->find("param")) {
    if (given->as_text() == nullptr) return Error{"param must be a text"};
    param = *given->as_text();
  }
  std::optional<uint32_t> limit;
  if (const Value* given = map->find("max_length")) {
    const double* number = given->as_number();
    if (number == nullptr || *number < 1 || *number >= Piece::kNoLimit || *number != static_cast<uint32_t>(*number)) {
      return Error{"max_length must be a positive integer"};
    }
    limit = static_cast<uint32_t>(*number);
  }
  return parse_operator(*command->as_text(), param, limit, {});
}

Result<void> prepare_choices(std::string_view argument, Piece& piece) {
  const std::optional<Value> json = parse_json(argument);
  const Value::Map* map = json ? json->as_map() : nullptr;
  const Value* operators = map == nullptr ? nullptr : map->find("operators");
  if (operators == nullptr || operators->as_list() == nullptr || operators->as_list()->empty()) {
    return Error{"operator COALESCE needs JSON with a list of operators"};
  }
  for (const Value& entry : *operators->as_list()) {
    auto choice = parse_choice(entry);
    if (!choice.ok()) return Error{cat("COALESCE, operator ", piece.choices.size(), ": ", choice.error())};
    choice->limit = std::min(choice->limit, piece.limit);
    piece.choices.push_back(std::move(*choice));
  }
  return {};
}

constexpr Operator kChoiceOperators[] = {
    {"COALESCE", kNeedsArgument, kCanBeCut, kText, first_set, prepare_choices, first_set_json},
};

}  // namespace

std::span<const Operator> choice_operators() { return kChoiceOperators; }

}  // namespace sluice::format
