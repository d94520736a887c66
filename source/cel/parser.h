// From text to a tree of nodes. https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
#pragma once

#include <string_view>

#include "base/result.h"
#include "cel/node.h"

namespace sluice::cel {

// What is wrong is told with its column; also what is Envoy's and not supported, by name. Thread: any.
Result<Node> parse(std::string_view text);

}  // namespace sluice::cel
