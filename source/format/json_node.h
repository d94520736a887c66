// A JSON document as configuration gives it (a Struct), before it is compiled: a light tree, so that nothing below
// config/ sees protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::format {

// A value. Texts of a format may contain operators. Thread: any.
struct JsonNode {
  enum class Kind : uint8_t { kNull, kBoolean, kNumber, kText, kMap, kList };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string text;
  struct Member;                // (no pair: clang 14 would need it whole here)
  std::vector<Member> members;  // of a map, in any order
  std::vector<JsonNode> items;  // of a list
};

struct JsonNode::Member {
  std::string name;
  JsonNode value;
};

}  // namespace sluice::format
