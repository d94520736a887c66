#include "cel/expression.h"

#include <utility>

#include "cel/evaluate.h"
#include "cel/parser.h"

namespace sluice::cel {

Result<Expression> Expression::parse(std::string_view text) {
  Result<Node> root = cel::parse(text);
  if (!root) return Error{root.error()};
  Expression out;
  out.root_ = std::make_shared<const Node>(std::move(*root));
  return out;
}

bool Expression::holds(const format::Facts& facts) const {
  Evaluation evaluation(facts);
  const Value value = evaluate(*root_, evaluation);
  return value.is(Value::Kind::kBool) && value.truth;
}

}  // namespace sluice::cel
