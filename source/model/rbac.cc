#include "model/rbac.h"

#include <algorithm>

#include "http/path.h"

namespace sluice::model {
namespace {

using format::Facts;

// What all rules of one question look at.
struct Asked {
  explicit Asked(const Facts& the_facts) : facts(the_facts) {
    if (facts.request != nullptr && !facts.request->path.empty()) path = http::split_target(facts.request->path).path;
  }
  const Facts& facts;
  std::string_view path;  // without query and fragment; null data when there is none
};

bool test(const RbacRule& rule, const Asked& asked);

bool any_holds(const std::vector<RbacRule>& rules, const Asked& asked) {
  return std::any_of(rules.begin(), rules.end(), [&](const RbacRule& rule) { return test(rule, asked); });
}

bool holds(const RbacRule::Any&, const Asked&) { return true; }
bool holds(const RbacRule::All& all, const Asked& asked) {
  return std::all_of(all.rules.begin(), all.rules.end(), [&](const RbacRule& rule) { return test(rule, asked); });
}
bool holds(const RbacRule::OneOf& one, const Asked& asked) { return any_holds(one.rules, asked); }
bool holds(const RbacRule::Not& opposite, const Asked& asked) { return !test(opposite.rule.front(), asked); }
bool holds(const http::HeaderMatcher& matcher, const Asked& asked) {
  return asked.facts.request != nullptr && matcher.matches(*asked.facts.request);
}

bool holds(const RbacRule::Path& condition, const Asked& asked) {
  return asked.path.data() != nullptr && condition.path.matches(asked.path);
}
bool holds(const match::PathTemplate& condition, const Asked& asked) {
  return asked.path.data() != nullptr && condition.matches(asked.path);
}

bool holds(const RbacRule::Ip& condition, const Asked& asked) {
  const net::Address* address = condition.whose == RbacRule::Ip::Whose::kDestination ? asked.facts.local
                                : condition.whose == RbacRule::Ip::Whose::kPeer      ? asked.facts.direct_remote
                                                                                     : asked.facts.remote;
  return address != nullptr && condition.range.contains(*address);
}
bool holds(const RbacRule::Port& condition, const Asked& asked) {
  return asked.facts.local != nullptr && asked.facts.local->is_ip() && asked.facts.local->port() >= condition.from &&
         asked.facts.local->port() < condition.to;
}
bool holds(const RbacRule::ServerName& condition, const Asked& asked) {
  return condition.name.matches(asked.facts.requested_server_name);
}

// One of a list that is joined with ','.
bool one_of(std::string_view list, const match::StringMatcher& matcher) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (matcher.matches(list.substr(0, comma))) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}
bool holds(const RbacRule::Authenticated& condition, const Asked& asked) {
  if (asked.facts.downstream_tls == nullptr) return false;
  if (!condition.name) return true;
  const net::TlsTexts& tls = asked.facts.downstream_tls->texts();
  return one_of(tls.peer_uri_san, *condition.name) || one_of(tls.peer_dns_san, *condition.name) ||
         condition.name->matches(tls.peer_subject);
}

bool holds(const RbacRule::OfMetadata& condition, const Asked& asked) {
  return condition.matcher.matches(condition.source == RbacRule::OfMetadata::Source::kRoute ? asked.facts.route_metadata
                                                                                            : asked.facts.metadata);
}
bool holds(const FilterStateMatcher& matcher, const Asked& asked) { return matcher.matches(asked.facts.filter_state); }

Rbac::Verdict verdict(RbacAction action, std::string_view policy) {
  switch (action) {
    case RbacAction::kAllow:
      return {.allowed = !policy.empty(), .policy = policy, .log_hint = std::nullopt};
    case RbacAction::kDeny:
      return {.allowed = policy.empty(), .policy = policy, .log_hint = std::nullopt};
    case RbacAction::kLog:
      return {.allowed = true, .policy = policy, .log_hint = !policy.empty()};
  }
  return {};
}

bool test(const RbacRule& rule, const Asked& asked) {
  return std::visit([&](const auto& condition) { return holds(condition, asked); }, rule.what);
}

}  // namespace

bool RbacRule::holds(const Facts& facts) const { return test(*this, Asked(facts)); }

Rbac::Rbac(RbacAction action, std::vector<Policy> policies) : action_(action), policies_(std::move(policies)) {
  std::sort(policies_.begin(), policies_.end(), [](const Policy& a, const Policy& b) { return a.name < b.name; });
}

Rbac::Verdict Rbac::ask(const Facts& facts) const {
  if (tree_ != nullptr) {
    const auto* const found = static_cast<const RbacOutcome*>(tree_->find(facts));
    return found == nullptr ? Verdict{.allowed = false, .policy = {}, .log_hint = std::nullopt}
                            : verdict(found->decides, found->name);
  }
  const Asked asked(facts);
  for (const Policy& policy : policies_) {
    if (any_holds(policy.permissions, asked) && any_holds(policy.principals, asked))
      return verdict(action_, policy.name);
  }
  return verdict(action_, {});
}

}  // namespace sluice::model
