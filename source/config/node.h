// The parsed text of a configuration before it becomes messages: a light tree with the place of everything.
//
// YAML and JSON end up in the same tree, so that only one reader has to know the messages. What a plain YAML word means
// (boolean, number, text) is decided when the tree is made; see yaml_nodes.h.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_error.h"

namespace sluice::config {

struct Node;

// One element of a list (without a key), or one key of a map with its value. Thread: as the tree.
struct NodeEntry {
  std::string_view key;
  Position key_at;
  const Node* value = nullptr;
};

// A value. `text` is the spelling of a Boolean or a Number, and the content of a Text. Thread: as the tree.
struct Node {
  enum class Kind : uint8_t { Null, Boolean, Number, Text, List, Map };

  Kind kind = Kind::Null;
  bool boolean = false;
  bool ignored = false;  // tagged !ignore: as a key, it is left out together with its value
  bool shared = false;   // the target of an alias: its content may be met many times
  Position at;
  std::string_view text;
  std::vector<NodeEntry> entries;

  bool is(Kind other) const { return kind == other; }
  // The last entry of this name, or null.
  const NodeEntry* find(std::string_view key) const;
};

// What to call a node in an error: `the number 123`, `a map`, `the text "many"`.
std::string describe(const Node& node);

// Owns nodes and their texts. Thread: any, one at a time.
class NodeTree {
 public:
  NodeTree() = default;
  NodeTree(NodeTree&&) = default;
  NodeTree& operator=(NodeTree&&) = default;

  Node& add(Node::Kind kind, Position at);
  // A copy of `text` that lives as long as the tree.
  std::string_view keep(std::string_view text);

  const Node* root = nullptr;

 private:
  std::deque<Node> nodes_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t room_ = 0;  // bytes that are free at the end of the last block
  char* next_ = nullptr;
};

// Containers within containers, the root included. Envoy's JSON reader has the same limit.
inline constexpr uint32_t kMaxDepth = 100;

}  // namespace sluice::config
