// ValueMatcher and MetadataMatcher: conditions on values of metadata.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/type/matcher/v3/metadata.proto
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/metadata.h"
#include "match/string_matcher.h"

namespace sluice::match {

// Immutable. Thread: any.
class ValueMatcher {
 public:
  struct Null {};
  struct Present {
    bool wanted = true;  // present_match: false holds for nothing at all, as in Envoy
  };
  struct Exactly {
    double number = 0;
  };
  struct Between {
    double start = 0, end = 0;  // end excluded
  };
  struct Truth {
    bool wanted = false;
  };
  struct AnyItem {
    std::vector<ValueMatcher> item;  // one
  };
  struct AnyOf {
    std::vector<ValueMatcher> choices;
  };
  using Condition = std::variant<Null, Present, Exactly, Between, Truth, StringMatcher, AnyItem, AnyOf>;

  explicit ValueMatcher(Condition condition) : condition_(std::move(condition)) {}
  // Null: there is no value.
  bool matches(const Value* value) const;

 private:
  Condition condition_;
};

// Immutable. Thread: any.
struct MetadataMatcher {
  std::string space;
  std::vector<std::string> path;
  ValueMatcher value;
  bool invert = false;

  // Null: there is no metadata.
  bool matches(const Metadata* metadata) const;
};

}  // namespace sluice::match
