#include "model/listener_plan.h"

#include <algorithm>

namespace sluice::model {

bool PortPredicate::matches(const net::Address& destination) const {
  const auto rule_matches = [&](const PortPredicate& rule) { return rule.matches(destination); };
  switch (kind) {
    case Kind::kNever:
      return false;
    case Kind::kAny:
      return true;
    case Kind::kRange:
      return destination.is_ip() && destination.port() >= begin && destination.port() < end;
    case Kind::kNot:
      return !rules.front().matches(destination);
    case Kind::kAnd:
      return std::all_of(rules.begin(), rules.end(), rule_matches);
    case Kind::kOr:
      return std::any_of(rules.begin(), rules.end(), rule_matches);
  }
  return false;
}

std::optional<uint32_t> choose_chain(const ListenerPlan& plan, const ChainInputs& inputs) {
  const std::optional<uint32_t> chain = plan.matcher.find(inputs);
  return chain ? chain : plan.default_chain;
}

std::optional<uint32_t> choose_chain(const ListenerPlan& plan, const format::Facts& facts) {
  const match::Action* found = plan.tree->find(facts);
  return found == nullptr ? plan.default_chain : static_cast<const ChainAction*>(found)->chain;
}

}  // namespace sluice::model
