#include "match/value_matcher.h"

#include <algorithm>

namespace sluice::match {
namespace {

bool holds(const ValueMatcher::Null&, const Value& value) { return value.is_null(); }
bool holds(const ValueMatcher::Present& condition, const Value&) { return condition.wanted; }
bool holds(const ValueMatcher::Exactly& condition, const Value& value) {
  return value.as_number() != nullptr && *value.as_number() == condition.number;
}
bool holds(const ValueMatcher::Between& condition, const Value& value) {
  return value.as_number() != nullptr && *value.as_number() >= condition.start && *value.as_number() < condition.end;
}
bool holds(const ValueMatcher::Truth& condition, const Value& value) {
  return value.as_boolean() != nullptr && *value.as_boolean() == condition.wanted;
}
bool holds(const StringMatcher& condition, const Value& value) {
  return value.as_text() != nullptr && condition.matches(*value.as_text());
}
bool holds(const ValueMatcher::AnyItem& condition, const Value& value) {
  return value.as_list() != nullptr &&
         std::any_of(value.as_list()->begin(), value.as_list()->end(),
                     [&](const Value& item) { return condition.item.front().matches(&item); });
}
bool holds(const ValueMatcher::AnyOf& condition, const Value& value) {
  return std::any_of(condition.choices.begin(), condition.choices.end(),
                     [&](const ValueMatcher& choice) { return choice.matches(&value); });
}

}  // namespace

bool ValueMatcher::matches(const Value* value) const {
  // What is missing counts as a value of no kind at all: not even null.
  if (value == nullptr) return false;
  return std::visit([&](const auto& condition) { return holds(condition, *value); }, condition_);
}

bool MetadataMatcher::matches(const Metadata* metadata) const {
  return value.matches(metadata == nullptr ? nullptr : metadata->find(space, path)) != invert;
}

}  // namespace sluice::match
