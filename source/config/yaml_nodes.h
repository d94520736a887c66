// YAML text -> nodes, through yaml-cpp's event parser; the only user of yaml-cpp.
//
// Envoy's reading of YAML, kept exactly:
// - a quoted scalar (and one tagged with a lone "!") is a text; other tags mean nothing;
// - a plain y, yes, on, true, n, no, off, false in lower case, upper case or with one capital is a boolean;
// - a plain whole number (decimal, 0x hexadecimal, leading 0 octal) within int32 is a number, a larger one within int64
//   becomes a text of its decimal digits; fractions stay text, and the field's type decides later;
// - plain null, Null, NULL, ~ and nothing at all are null;
// - a key tagged !ignore is left out with its value (whose anchors stay usable);
// - of equal keys the last one counts; only the first document of a text counts; merge keys (<<) are plain keys.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/config_error.h"
#include "config/node.h"

namespace sluice::config {

// False when the text is no YAML: then `findings` has one error more (yaml-cpp stops at the first) and the tree is
// empty. A text without a document has a null root. `file` is the index that the positions get, `name` its name for
// errors. No exception leaves. Thread: any.
bool parse_yaml(std::string_view text, uint32_t file, std::string_view name, NodeTree& tree, Findings& findings);

}  // namespace sluice::config
