#include "base/value.h"

#include <algorithm>

namespace sluice {

std::vector<Value::Member>::iterator Value::Map::place_of(std::string_view key) {
  return std::lower_bound(members_.begin(), members_.end(), key,
                          [](const Member& member, std::string_view wanted) { return member.key < wanted; });
}

const Value* Value::Map::find(std::string_view key) const { return const_cast<Map&>(*this).find(key); }

Value* Value::Map::find(std::string_view key) {
  const auto at = place_of(key);
  return at != members_.end() && at->key == key ? &at->value : nullptr;
}

Value& Value::Map::operator[](std::string_view key) {
  auto at = place_of(key);
  if (at == members_.end() || at->key != key) {
    at = members_.insert(at, Member{std::string(key), Value()});
  }
  return at->value;
}

void Value::Map::set(std::string_view key, Value value) { (*this)[key] = std::move(value); }

bool Value::Map::operator==(const Map& other) const { return members_ == other.members_; }

void Value::merge(const Value& other) {
  if (as_map() != nullptr && other.as_map() != nullptr) {
    for (const Member& member : *other.as_map()) {
      (*as_map())[member.key].merge(member.value);
    }
  } else if (as_list() != nullptr && other.as_list() != nullptr) {
    const List more = *other.as_list();
    as_list()->insert(as_list()->end(), more.begin(), more.end());
  } else {
    *this = other;
  }
}

}  // namespace sluice
