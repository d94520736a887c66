// Node: one part of a parsed expression.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cel/attributes.h"
#include "cel/functions.h"
#include "cel/value.h"
#include "match/regex.h"

namespace sluice::cel {

// Owned by its Expression. Immutable. Thread: any.
struct Node {
  enum class Kind : uint8_t {
    kConstant,     // `constant`; the text of strings and bytes is `text`
    kUnknownName,  // an error whenever it is looked at
    kRoot,         // `constant`
    kMetadata,     // the dynamic metadata
    kSelect,       // operand.text
    kHas,          // has(operand.text)
    kIndex,        // operand[operand]
    kList,
    kMap,          // key, value, key, value ...
    kAll,          // && of two and more
    kAny,          // || of two and more
    kConditional,  // a ? b : c
    kCall,
    kMatches,  // operand.matches(`regex`)
  };
  // How deep an expression may be.
  static constexpr uint32_t kMaxDepth = 250;

  Kind kind = Kind::kConstant;
  uint32_t depth = 1;
  Value constant;
  std::string text;
  std::vector<Node> operands;
  const Function* function = nullptr;    // of kCall
  const Attribute* attribute = nullptr;  // of kSelect and kHas right below a root, when the name is known
  match::Regex regex;
};

}  // namespace sluice::cel
