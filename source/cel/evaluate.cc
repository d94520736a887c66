#include "cel/evaluate.h"

#include <array>
#include <cmath>

namespace sluice::cel {
namespace {

using Kind = Value::Kind;

const sluice::Metadata kEmptyMetadata;
const sluice::Value::Map kEmptyMap;

Value constant_of(const Node& node) {
  Value value = node.constant;
  if (value.is(Kind::kString) || value.is(Kind::kBytes)) value.text = node.text;
  return value;
}

// Of the one message that there is.
std::optional<Value> field_of_metadata(const Value& message, std::string_view field) {
  if (field == "filter_metadata") return Value::map_of(message.message->spaces());
  if (field == "typed_filter_metadata") return Value::map_of(kEmptyMap);
  return std::nullopt;
}

Value select(const Node& node, Evaluation& evaluation) {
  if (node.attribute != nullptr) return node.attribute->value(evaluation).value_or(Value::error());
  const Value of = evaluate(node.operands[0], evaluation);
  if (of.is(Kind::kMessage)) return field_of_metadata(of, node.text).value_or(Value::error());
  return of.is(Kind::kMap) ? find_field(of, node.text, evaluation).value_or(Value::error()) : Value::error();
}

Value has(const Node& node, Evaluation& evaluation) {
  if (node.attribute != nullptr) return Value::boolean(node.attribute->value(evaluation).has_value());
  const Value of = evaluate(node.operands[0], evaluation);
  if (of.is(Kind::kMap)) return Value::boolean(find_field(of, node.text, evaluation).has_value());
  if (!of.is(Kind::kMessage)) return Value::error();
  const std::optional<Value> field = field_of_metadata(of, node.text);
  return field ? Value::boolean(size_of(*field, evaluation) != 0) : Value::error();
}

bool can_be_key(const Value& value) {
  return value.is(Kind::kBool) || value.is(Kind::kInt) || value.is(Kind::kUint) || value.is(Kind::kString);
}

// A whole number that is an index of the list, whatever its kind.
std::optional<size_t> index_of(const Value& number, size_t size) {
  if (number.is(Kind::kUint))
    return number.natural < size ? std::optional(static_cast<size_t>(number.natural)) : std::nullopt;
  if (number.is(Kind::kInt)) {
    return number.number >= 0 && static_cast<uint64_t>(number.number) < size
               ? std::optional(static_cast<size_t>(number.number))
               : std::nullopt;
  }
  const bool whole = number.is(Kind::kDouble) && std::floor(number.real) == number.real && number.real >= 0;
  return whole && number.real < static_cast<double>(size) ? std::optional(static_cast<size_t>(number.real))
                                                          : std::nullopt;
}

Value index(const Node& node, Evaluation& evaluation) {
  const Value of = evaluate(node.operands[0], evaluation), key = evaluate(node.operands[1], evaluation);
  if (of.is(Kind::kList) && key.is_number()) {
    const std::optional<size_t> place = index_of(key, size_of(of, evaluation));
    return place ? element_of(of, *place) : Value::error();
  }
  const bool suits = of.is(Kind::kMap) && (can_be_key(key) || key.is(Kind::kDouble));
  return suits ? find(of, key, evaluation).value_or(Value::error()) : Value::error();
}

Value list(const Node& node, Evaluation& evaluation) {
  Values values;
  values.reserve(node.operands.size());
  for (const Node& operand : node.operands) {
    values.push_back(evaluate(operand, evaluation));
    if (values.back().is(Kind::kError)) return Value::error();
  }
  return Value::list_of(evaluation.keep(std::move(values)));
}

Value map(const Node& node, Evaluation& evaluation) {
  Entries entries;
  for (size_t i = 0; i + 1 < node.operands.size(); i += 2) {
    const Value key = evaluate(node.operands[i], evaluation), value = evaluate(node.operands[i + 1], evaluation);
    if (!can_be_key(key) || value.is(Kind::kError)) return Value::error();
    for (const auto& [other, unused] : entries) {
      if (other.kind == key.kind && equal(other, key, evaluation)) return Value::error();
    }
    entries.emplace_back(key, value);
  }
  return Value::map_of(evaluation.keep(std::move(entries)));
}

// One operand that is `decisive` decides, whatever the others are; else one that is no truth spoils it.
Value logic(const Node& node, bool decisive, Evaluation& evaluation) {
  bool spoilt = false;
  for (const Node& operand : node.operands) {
    const Value value = evaluate(operand, evaluation);
    if (value.is(Kind::kBool) && value.truth == decisive) return value;
    spoilt |= !value.is(Kind::kBool);
  }
  return spoilt ? Value::error() : Value::boolean(!decisive);
}

Value call(const Node& node, Evaluation& evaluation) {
  std::array<Value, 2> arguments;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    arguments[i] = evaluate(node.operands[i], evaluation);
    if (arguments[i].is(Kind::kError)) return Value::error();
  }
  return node.function->apply(std::span(arguments.data(), node.operands.size()), evaluation);
}

}  // namespace

Value evaluate(const Node& node, Evaluation& evaluation) {
  switch (node.kind) {
    case Node::Kind::kConstant:
      return constant_of(node);
    case Node::Kind::kUnknownName:
      return Value::error();
    case Node::Kind::kRoot:
      return node.constant;
    case Node::Kind::kMetadata:
      return Value::metadata(evaluation.facts.metadata == nullptr ? kEmptyMetadata : *evaluation.facts.metadata);
    case Node::Kind::kSelect:
      return select(node, evaluation);
    case Node::Kind::kHas:
      return has(node, evaluation);
    case Node::Kind::kIndex:
      return index(node, evaluation);
    case Node::Kind::kList:
      return list(node, evaluation);
    case Node::Kind::kMap:
      return map(node, evaluation);
    case Node::Kind::kAll:
      return logic(node, false, evaluation);
    case Node::Kind::kAny:
      return logic(node, true, evaluation);
    case Node::Kind::kConditional: {
      const Value condition = evaluate(node.operands[0], evaluation);
      if (!condition.is(Kind::kBool)) return Value::error();
      return evaluate(node.operands[condition.truth ? 1 : 2], evaluation);
    }
    case Node::Kind::kCall:
      return call(node, evaluation);
    case Node::Kind::kMatches: {
      const Value text = evaluate(node.operands[0], evaluation);
      return text.is(Kind::kString) ? Value::boolean(node.regex.matches(text.text)) : Value::error();
    }
  }
  return Value::error();
}

}  // namespace sluice::cel
