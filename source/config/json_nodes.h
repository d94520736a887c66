// JSON text -> nodes.
//
// As lenient as Envoy's reader and not more: texts in single quotes, keys without quotes, one comma after the last
// entry; control characters within texts. No comments, no NaN, no leading zeros, nothing behind the value. Unlike in
// YAML, equal keys stay separate entries (the reader merges or refuses them), and every number is a number.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/config_error.h"
#include "config/node.h"

namespace sluice::config {

// False when the text is no JSON: `findings` has one error more and the tree is empty. `file` is the index that the
// positions get, `name` its name for errors. Texts without escapes point into `text`, which must outlive the tree.
// Columns count bytes. Thread: any.
bool parse_json(std::string_view text, uint32_t file, std::string_view name, NodeTree& tree, Findings& findings);

}  // namespace sluice::config
