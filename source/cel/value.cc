#include "cel/value.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "cel/attributes.h"

namespace sluice::cel {

using Kind = Value::Kind;
using Keeper = Value::Keeper;

// ---- making them

Value Value::boolean(bool truth) {
  Value value = of_kind(Kind::kBool);
  value.truth = truth;
  return value;
}

Value Value::integer(int64_t number) {
  Value value = of_kind(Kind::kInt);
  value.number = number;
  return value;
}

Value Value::natural_number(uint64_t number) {
  Value value = of_kind(Kind::kUint);
  value.natural = number;
  return value;
}

Value Value::floating(double number) {
  Value value = of_kind(Kind::kDouble);
  value.real = number;
  return value;
}

Value Value::string(std::string_view text) {
  Value value = of_kind(Kind::kString);
  value.text = text;
  return value;
}

Value Value::bytes(std::string_view text) {
  Value value = of_kind(Kind::kBytes);
  value.text = text;
  return value;
}

Value Value::duration(Seconds time) {
  Value value = of_kind(Kind::kDuration);
  value.time = time;
  return value;
}

Value Value::timestamp(Seconds time) {
  Value value = of_kind(Kind::kTimestamp);
  value.time = time;
  return value;
}

Value Value::list_of(const Values& values) {
  Value value = of_kind(Kind::kList);
  value.list = &values;
  return value;
}

Value Value::map_of(const Entries& entries) {
  Value value = of_kind(Kind::kMap);
  value.map = &entries;
  return value;
}

Value Value::attributes(Root root) {
  Value value = of_kind(Kind::kMap);
  value.keeper = Keeper::kAttributes;
  value.root = root;
  return value;
}

Value Value::headers(Keeper keeper) {
  Value value = of_kind(Kind::kMap);
  value.keeper = keeper;
  return value;
}

Value Value::metadata(const sluice::Metadata& metadata) {
  Value value = of_kind(Kind::kMessage);
  value.message = &metadata;
  return value;
}

Value Value::map_of(const sluice::Value::Map& map) {
  Value value = of_kind(Kind::kMap);
  value.keeper = Keeper::kMetadata;
  value.metadata_map = &map;
  return value;
}

Value Value::of(const sluice::Value& value) {
  if (const bool* truth = value.as_boolean()) return boolean(*truth);
  if (const double* number = value.as_number()) return floating(*number);
  if (const std::string* text = value.as_text()) return string(*text);
  if (const sluice::Value::Map* map = value.as_map()) return map_of(*map);
  if (const sluice::Value::List* list = value.as_list()) {
    Value out = of_kind(Kind::kList);
    out.keeper = Keeper::kMetadata;
    out.metadata_list = list;
    return out;
  }
  return null();
}

Value Value::type_of(Kind kind) {
  Value value = of_kind(Kind::kType);
  value.type = kind;
  return value;
}

std::string_view Evaluation::keep(std::string text) { return texts_.emplace_front(std::move(text)); }
const Values& Evaluation::keep(Values values) { return lists_.emplace_front(std::move(values)); }
const Entries& Evaluation::keep(Entries entries) { return maps_.emplace_front(std::move(entries)); }

// ---- comparing them

namespace {

double as_double(const Value& value) {
  return value.is(Kind::kInt)    ? static_cast<double>(value.number)
         : value.is(Kind::kUint) ? static_cast<double>(value.natural)
                                 : value.real;
}

template <typename T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<int> compare_numbers(const Value& a, const Value& b) {
  if (a.is(Kind::kDouble) || b.is(Kind::kDouble)) {
    const double left = as_double(a), right = as_double(b);
    if (std::isnan(left) || std::isnan(right)) return std::nullopt;
    return order_of(left, right);
  }
  if (a.kind == b.kind) return a.is(Kind::kInt) ? order_of(a.number, b.number) : order_of(a.natural, b.natural);
  const Value& number = a.is(Kind::kInt) ? a : b;
  const Value& natural = a.is(Kind::kInt) ? b : a;
  const int order = number.number < 0 ? -1 : order_of(static_cast<uint64_t>(number.number), natural.natural);
  return a.is(Kind::kInt) ? order : -order;
}

// Calls visit(key, value) for each entry until that returns false. Attributes name none.
template <typename Visit>
bool for_each_entry(const Value& map, Evaluation& evaluation, Visit&& visit) {
  switch (map.keeper) {
    case Keeper::kOwn:
      for (const auto& [key, value] : *map.map) {
        if (!visit(key, value)) return false;
      }
      return true;
    case Keeper::kMetadata:
      for (const auto& member : *map.metadata_map) {
        if (!visit(Value::string(member.key), Value::of(member.value))) return false;
      }
      return true;
    case Keeper::kAttributes:
      return true;
    case Keeper::kRequestHeaders:
    case Keeper::kResponseHeaders:
    case Keeper::kTrailers:
      for (const std::string_view name : header_names(map.keeper, evaluation.facts)) {
        if (!visit(Value::string(name), *find_field(map, name, evaluation))) return false;
      }
      return true;
  }
  return true;
}

bool equal_lists(const Value& a, const Value& b, Evaluation& evaluation) {
  const size_t size = size_of(a, evaluation);
  if (size != size_of(b, evaluation)) return false;
  for (size_t i = 0; i < size; ++i) {
    if (!equal(element_of(a, i), element_of(b, i), evaluation)) return false;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b, Evaluation& evaluation) {
  if (size_of(a, evaluation) != size_of(b, evaluation)) return false;
  return for_each_entry(a, evaluation, [&](const Value& key, const Value& value) {
    const std::optional<Value> other = find(b, key, evaluation);
    return other && equal(value, *other, evaluation);
  });
}

}  // namespace

bool equal(const Value& a, const Value& b, Evaluation& evaluation) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return a.truth == b.truth;
    case Kind::kString:
    case Kind::kBytes:
      return a.text == b.text;
    case Kind::kDuration:
    case Kind::kTimestamp:
      return a.time == b.time;
    case Kind::kList:
      return equal_lists(a, b, evaluation);
    case Kind::kMap:
      return equal_maps(a, b, evaluation);
    case Kind::kMessage:
      return a.message->spaces() == b.message->spaces();
    case Kind::kType:
      return a.type == b.type;
    default:
      return false;
  }
}

std::optional<int> compare(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.kind != b.kind) return std::nullopt;
  switch (a.kind) {
    case Kind::kBool:
      return order_of(a.truth, b.truth);
    case Kind::kString:
    case Kind::kBytes:
      return order_of(a.text, b.text);
    case Kind::kDuration:
    case Kind::kTimestamp:
      return order_of(a.time, b.time);
    default:
      return std::nullopt;
  }
}

// ---- looking into them

size_t size_of(const Value& container, Evaluation& evaluation) {
  if (container.is(Kind::kList)) {
    return container.keeper == Keeper::kOwn ? container.list->size() : container.metadata_list->size();
  }
  switch (container.keeper) {
    case Keeper::kOwn:
      return container.map->size();
    case Keeper::kMetadata:
      return container.metadata_map->size();
    case Keeper::kAttributes:
      return 0;
    default:
      return header_names(container.keeper, evaluation.facts).size();
  }
}

Value element_of(const Value& list, size_t index) {
  return list.keeper == Keeper::kOwn ? (*list.list)[index] : Value::of((*list.metadata_list)[index]);
}

std::optional<Value> find(const Value& map, const Value& key, Evaluation& evaluation) {
  if (map.keeper == Keeper::kOwn) {
    for (const auto& [name, value] : *map.map) {
      if (equal(name, key, evaluation)) return value;
    }
    return std::nullopt;
  }
  return key.is(Kind::kString) ? find_field(map, key.text, evaluation) : std::nullopt;
}

std::optional<Value> find_field(const Value& map, std::string_view key, Evaluation& evaluation) {
  switch (map.keeper) {
    case Keeper::kOwn:
      return find(map, Value::string(key), evaluation);
    case Keeper::kMetadata: {
      const sluice::Value* value = map.metadata_map->find(key);
      return value == nullptr ? std::nullopt : std::optional(Value::of(*value));
    }
    case Keeper::kAttributes: {
      if (map.root == Root::kFilterState) return filter_state(key, evaluation);
      const Attribute* attribute = find_attribute(map.root, key);
      return attribute == nullptr || attribute->value == nullptr ? std::nullopt : attribute->value(evaluation);
    }
    default:
      return header(map.keeper, key, evaluation);
  }
}

}  // namespace sluice::cel
