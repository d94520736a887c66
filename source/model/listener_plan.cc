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

bool differs_in_chains_only(const ListenerPlan& fresh, const ListenerPlan& serving) {
  return fresh.frame_content.is(serving.frame_content);
}

ListenerPlanPtr keep_chains(const ListenerPlan& fresh, const ListenerPlan& serving) {
  auto out = std::make_shared<ListenerPlan>(fresh);
  out->connections = serving.connections;
  for (FilterChainPlanPtr& chain : out->chains) {
    const auto same = std::find_if(serving.chains.begin(), serving.chains.end(),
                                   [&](const FilterChainPlanPtr& old) { return old->content.is(chain->content); });
    if (same != serving.chains.end()) {
      chain = *same;
    }
  }
  return out;
}

size_t chains_left_out(const ListenerPlan& old, const ListenerPlan& plan) {
  return static_cast<size_t>(std::count_if(old.chains.begin(), old.chains.end(), [&](const FilterChainPlanPtr& chain) {
    return std::find(plan.chains.begin(), plan.chains.end(), chain) == plan.chains.end();
  }));
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
