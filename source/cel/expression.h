// Expression: the Common Expression Language over the attributes of an exchange or connection, as Envoy has it: no
// loops, no joining of texts and lists, no conversion to strings. https://github.com/google/cel-spec
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "format/facts.h"

namespace sluice::cel {

struct Node;

// Compiled once; a handle, cheap to copy. Immutable, shared by all workers. Thread: any.
class Expression {
 public:
  // What does not parse, and what Envoy has and we do not, is an error that names it and its column.
  static Result<Expression> parse(std::string_view text);

  // It is true. What is not there, or does not suit an operator, is an error in it, and then it is not.
  bool holds(const format::Facts& facts) const;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace sluice::cel
