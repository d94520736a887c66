// RBAC: who may do what: policies over requests and connections. One engine for the HTTP and the network filter.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/rbac/v3/rbac.proto
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "format/facts.h"
#include "http/header_matcher.h"
#include "match/path_template.h"
#include "match/string_matcher.h"
#include "match/value_matcher.h"
#include "model/fact_inputs.h"
#include "model/filter_state_matcher.h"
#include "net/address.h"

namespace sluice::model {

// A permission or a principal. They look at the request as it is forwarded: what path options make of it, not what was
// sent. Immutable. Thread: any.
struct RbacRule {
  struct Any {};
  struct All {
    std::vector<RbacRule> rules;
  };
  struct OneOf {
    std::vector<RbacRule> rules;
  };
  struct Not {
    std::vector<RbacRule> rule;  // one
  };
  // Of the path without its query.
  struct Path {
    match::StringMatcher path;
  };
  struct Ip {
    enum class Whose : uint8_t { kDestination, kPeer, kClient };  // the client: after x-forwarded-for
    Whose whose;
    net::Cidr range;
  };
  struct Port {
    uint32_t from, to;  // `to` excluded
  };
  struct ServerName {
    match::StringMatcher name;
  };
  // A TLS client; with a name: a URI, else a DNS name, else the subject of its certificate is so.
  struct Authenticated {
    std::optional<match::StringMatcher> name;
  };
  struct OfMetadata {
    enum class Source : uint8_t { kDynamic, kRoute };
    Source source;
    match::MetadataMatcher matcher;
  };
  using What = std::variant<Any, All, OneOf, Not, http::HeaderMatcher, Path, Ip, Port, ServerName, Authenticated,
                            OfMetadata, match::PathTemplate, FilterStateMatcher>;
  What what;

  bool holds(const format::Facts& facts) const;
};

enum class RbacAction : uint8_t { kAllow, kDeny, kLog };

// What a matcher tree of RBAC leads to. Immutable. Thread: any.
class RbacOutcome final : public match::Action {
 public:
  RbacOutcome(std::string policy, RbacAction action) : name(std::move(policy)), decides(action) {}
  std::string name;
  RbacAction decides;
};

// Rules (policies with one action) or a matcher tree. Immutable. Thread: any.
class Rbac {
 public:
  struct Policy {
    std::string name;
    std::vector<RbacRule> permissions, principals;  // one of each must hold
  };
  struct Verdict {
    bool allowed = true;
    std::string_view policy;       // that decided; empty: none
    std::optional<bool> log_hint;  // a LOG action was asked: whether it matched
  };

  // Policies are asked in the order of their names.
  Rbac(RbacAction action, std::vector<Policy> policies);
  // What matches nothing is denied.
  explicit Rbac(std::unique_ptr<const FactTree> tree) : tree_(std::move(tree)) {}

  Verdict ask(const format::Facts& facts) const;

 private:
  RbacAction action_ = RbacAction::kDeny;
  std::vector<Policy> policies_;
  std::unique_ptr<const FactTree> tree_;
};

}  // namespace sluice::model
