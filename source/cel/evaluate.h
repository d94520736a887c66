// What a parsed expression is worth.
#pragma once

#include "cel/node.h"
#include "cel/value.h"

namespace sluice::cel {

// As deep as the tree is (Node::kMaxDepth). Thread: the evaluation's.
Value evaluate(const Node& node, Evaluation& evaluation);

}  // namespace sluice::cel
