// The parsed text of a configuration before it becomes messages: a light tree with the place of everything.
//
// YAML and JSON end up in the same tree, so that only one reader has to know the messages. What a plain YAML word means
// (boolean, number, text) is decided when the tree is made; see yaml_nodes.h.
//
// The tree is a tape: one cell of 24 bytes for each key and each value, in the order of the text, a container before
// what is in it. It costs about three times the text, which docs/decisions/0003-a-tape-not-events.md weighs.
#pragma once

#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_error.h"

namespace sluice::config {

class NodeTree;
struct NodeEntry;

// The entries of a list or a map, in the order of the text. A view of the tree.
class NodeEntries {
 public:
  class Iterator;

  NodeEntries() = default;
  NodeEntries(const NodeTree& tree, size_t container) : tree_(&tree), container_(container) {}

  Iterator begin() const;
  Iterator end() const;
  bool empty() const;
  NodeEntry operator[](size_t index) const;

 private:
  const NodeTree* tree_ = nullptr;
  size_t container_ = 0;
};

// A value: a view of the tree, cheap to copy. `text` is the spelling of a Boolean or a Number, and the content of a
// Text. Thread: as the tree.
struct Node {
  enum class Kind : uint8_t { Null, Boolean, Number, Text, List, Map };

  Kind kind = Kind::Null;
  bool boolean = false;
  bool shared = false;  // the target of an alias: its content may be met many times
  Position at{};
  std::string_view text{};
  NodeEntries entries{};

  bool is(Kind other) const { return kind == other; }
  // The last entry of this name.
  std::optional<NodeEntry> find(std::string_view key) const;
};

// One element of a list (without a key), or one key of a map with its value. Thread: as the tree.
struct NodeEntry {
  std::string_view key;
  Position key_at;
  Node value;
};

class NodeEntries::Iterator {
 public:
  Iterator(const NodeTree& tree, size_t at, size_t end, bool map);
  NodeEntry operator*() const;
  Iterator& operator++();
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  void skip_ignored();

  const NodeTree* tree_;
  size_t at_;  // the cell of the key, or of the element
  size_t end_;
  bool map_;
};

// What to call a node in an error: `the number 123`, `a map`, `the text "many"`.
std::string describe(const Node& node);

// Owns the cells, and texts that do not stand in the source as they are. Filled in the order of the text: add() for
// each key and each value, close() behind the last one of a container. Thread: any, one at a time.
class NodeTree {
 public:
  explicit NodeTree(uint32_t file = 0) : file_(file) {}

  // ---- filling. Cells are numbered from 0.
  // `text` lives as long as the tree. A key is a Text.
  size_t add(Node::Kind kind, Position at, std::string_view text = {});
  size_t add_boolean(bool value, Position at, std::string_view text);
  // Stands for the value at `target`, which was added before and is complete.
  void add_alias(size_t target, Position at);
  void close(size_t container) { cells_[container].end = static_cast<uint32_t>(cells_.size()); }
  // As a key, it is left out together with its value.
  void ignore(size_t key) { cells_[key].ignored = true; }
  void clear() { cells_.clear(); }
  // A copy of `text` that lives as long as the tree.
  std::string_view keep(std::string_view text);

  // ---- looking
  bool empty() const { return cells_.empty(); }
  Node root() const { return node(0); }
  Node node(size_t cell) const;
  Position at(size_t cell) const { return {cells_[cell].line, cells_[cell].column, file_}; }
  std::string_view text(size_t cell) const;
  bool is_ignored(size_t key) const { return cells_[key].ignored; }
  Node::Kind kind(size_t cell) const { return cells_[cell].kind; }
  // Of a container: the cell behind its last one; else the next cell.
  size_t after(size_t cell) const;

 private:
  struct Cell {
    const char* text = nullptr;
    union {
      uint32_t size = 0;  // of the text
      uint32_t end;       // of a container
      uint32_t target;    // of an alias
    };
    uint32_t line = 0;
    uint32_t column : Position::kColumnBits = 0;
    Node::Kind kind : 3 = Node::Kind::Null;
    bool alias : 1 = false;
    bool boolean : 1 = false;
    bool ignored : 1 = false;
    bool shared : 1 = false;
  };
  static_assert(sizeof(Cell) == 24);

  uint32_t file_;
  std::deque<Cell> cells_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t room_ = 0;  // bytes that are free at the end of the last block
  char* next_ = nullptr;
};

// Containers within containers, the root included. Envoy's JSON reader has the same limit.
inline constexpr uint32_t kMaxDepth = 100;

}  // namespace sluice::config
