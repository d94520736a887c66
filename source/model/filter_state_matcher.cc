#include "model/filter_state_matcher.h"

#include <algorithm>

namespace sluice::model {

bool FilterStateMatcher::matches(const FilterState* state) const {
  const FilterState::Object* object = state == nullptr ? nullptr : state->find(key);
  if (object == nullptr) return false;
  if (const auto* text = std::get_if<match::StringMatcher>(&condition)) return text->matches(object->text);
  const auto& networks = std::get<Networks>(condition);
  const auto address = net::Address::from_ip(object->text, 0);
  if (!address.ok()) return false;
  return std::any_of(networks.ranges.begin(), networks.ranges.end(),
                     [&](const net::Cidr& range) { return range.contains(*address); }) != networks.invert;
}

}  // namespace sluice::model
