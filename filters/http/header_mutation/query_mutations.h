// QueryMutations: changes of the query of a request, one after the other (query_parameter_mutations).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "format/formatter.h"

namespace sluice::filters::header_mutation {

// One of them. A plain value.
struct QueryMutation {
  enum class Kind : uint8_t { kAppend, kAddIfAbsent, kOverwriteOrAdd, kOverwriteIfExists, kRemove };
  Kind kind = Kind::kAppend;
  std::string name;
  std::optional<format::Formatter> value;  // what it writes is percent-encoded; none: of kRemove
};

// As with Envoy the parameters are in the order of their names afterwards, each as NAME=VALUE; those of one name keep
// their order. What stays is written as it came, where Envoy decodes it: a "%26" in a value must not become a
// parameter. Names are compared decoded. Thread: any (immutable).
class QueryMutations {
 public:
  void add(QueryMutation mutation) { list_.push_back(std::move(mutation)); }
  bool empty() const { return list_.empty(); }
  // The changed target, in the arena.
  std::string_view apply(std::string_view target, const format::Facts& facts, Arena& arena) const;

 private:
  std::vector<QueryMutation> list_;
};

}  // namespace sluice::filters::header_mutation
