// HeaderMutations: a list of changes that are made one after the other, each seeing what the ones before it did (unlike
// HeaderRules).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/common/mutation_rules/v3/mutation_rules.proto
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "format/facts.h"
#include "http/header_map.h"
#include "match/string_matcher.h"
#include "model/header_rules.h"

namespace sluice::model {

// Removes every line of that name (lower case).
struct RemoveHeader {
  std::string name;
};
// Removes every line whose name matches.
struct RemoveMatchingHeaders {
  match::StringMatcher name;
};
using HeaderMutation = std::variant<HeaderRule, RemoveHeader, RemoveMatchingHeaders>;

// Thread: any (immutable).
struct HeaderMutations {
  std::vector<HeaderMutation> list;

  bool empty() const { return list.empty(); }
  void apply(http::HeaderMap& fields, const format::Facts& facts) const;
};

}  // namespace sluice::model
