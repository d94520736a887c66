// FilterStateMatcher: a condition on an object of the filter state.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/type/matcher/v3/filter_state.proto
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/filter_state.h"
#include "match/string_matcher.h"
#include "net/address.h"

namespace sluice::model {

// Addresses: the object's text is an IP address in one of the networks. Immutable. Thread: any.
struct FilterStateMatcher {
  struct Networks {
    std::vector<net::Cidr> ranges;
    bool invert = false;
  };
  std::string key;
  std::variant<match::StringMatcher, Networks> condition;

  // Null: there is no filter state.
  bool matches(const FilterState* state) const;
};

}  // namespace sluice::model
