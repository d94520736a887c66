#include "model/rbac.h"

#include <algorithm>

#include "http/path.h"

namespace sluice::model {
namespace {

using format::Facts;

bool any_holds(const std::vector<RbacRule>& rules, const Facts& facts) {
  return std::any_of(rules.begin(), rules.end(), [&](const RbacRule& rule) { return rule.holds(facts); });
}

bool holds(const RbacRule::Any&, const Facts&) { return true; }
bool holds(const RbacRule::All& all, const Facts& facts) {
  return std::all_of(all.rules.begin(), all.rules.end(), [&](const RbacRule& rule) { return rule.holds(facts); });
}
bool holds(const RbacRule::OneOf& one, const Facts& facts) { return any_holds(one.rules, facts); }
bool holds(const RbacRule::Not& opposite, const Facts& facts) { return !opposite.rule.front().holds(facts); }
bool holds(const http::HeaderMatcher& matcher, const Facts& facts) {
  return facts.request != nullptr && matcher.matches(*facts.request);
}

// Without query and fragment; null data when there is no path.
std::string_view path_of(const Facts& facts) {
  if (facts.request == nullptr || facts.request->path.empty()) return {};
  return http::split_target(facts.request->path).path;
}
bool holds(const RbacRule::Path& condition, const Facts& facts) {
  const std::string_view path = path_of(facts);
  return path.data() != nullptr && condition.path.matches(path);
}
bool holds(const match::PathTemplate& condition, const Facts& facts) {
  const std::string_view path = path_of(facts);
  return path.data() != nullptr && condition.matches(path);
}

bool holds(const RbacRule::Ip& condition, const Facts& facts) {
  const net::Address* address = condition.whose == RbacRule::Ip::Whose::kDestination ? facts.local
                                : condition.whose == RbacRule::Ip::Whose::kPeer      ? facts.direct_remote
                                                                                     : facts.remote;
  return address != nullptr && condition.range.contains(*address);
}
bool holds(const RbacRule::Port& condition, const Facts& facts) {
  return facts.local != nullptr && facts.local->is_ip() && facts.local->port() >= condition.from &&
         facts.local->port() < condition.to;
}
bool holds(const RbacRule::ServerName& condition, const Facts& facts) {
  return condition.name.matches(facts.requested_server_name);
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
bool holds(const RbacRule::Authenticated& condition, const Facts& facts) {
  const format::TlsFacts* tls = facts.downstream_tls;
  if (tls == nullptr) return false;
  if (!condition.name) return true;
  return one_of(tls->peer_uri_san, *condition.name) || one_of(tls->peer_dns_san, *condition.name) ||
         condition.name->matches(tls->peer_subject);
}

bool holds(const RbacRule::OfMetadata& condition, const Facts& facts) {
  return condition.matcher.matches(condition.source == RbacRule::OfMetadata::Source::kRoute ? facts.route_metadata
                                                                                            : facts.metadata);
}
bool holds(const FilterStateMatcher& matcher, const Facts& facts) { return matcher.matches(facts.filter_state); }

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

}  // namespace

bool RbacRule::holds(const Facts& facts) const {
  return std::visit([&](const auto& condition) { return model::holds(condition, facts); }, what);
}

Rbac::Rbac(RbacAction action, std::vector<Policy> policies) : action_(action), policies_(std::move(policies)) {
  std::sort(policies_.begin(), policies_.end(), [](const Policy& a, const Policy& b) { return a.name < b.name; });
}

Rbac::Verdict Rbac::ask(const Facts& facts) const {
  if (tree_ != nullptr) {
    const auto* const found = static_cast<const RbacOutcome*>(tree_->find(facts));
    return found == nullptr ? Verdict{.allowed = false, .policy = {}, .log_hint = std::nullopt}
                            : verdict(found->decides, found->name);
  }
  for (const Policy& policy : policies_) {
    if (any_holds(policy.permissions, facts) && any_holds(policy.principals, facts))
      return verdict(action_, policy.name);
  }
  return verdict(action_, {});
}

}  // namespace sluice::model
