#include "config/node.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::config {

NodeEntries::Iterator::Iterator(const NodeTree& tree, size_t at, size_t end, bool map)
    : tree_(&tree), at_(at), end_(end), map_(map) {
  skip_ignored();
}

NodeEntry NodeEntries::Iterator::operator*() const {
  if (!map_) return {{}, tree_->at(at_), tree_->node(at_)};
  return {tree_->text(at_), tree_->at(at_), tree_->node(tree_->after(at_))};
}

NodeEntries::Iterator& NodeEntries::Iterator::operator++() {
  if (map_) at_ = tree_->after(at_);
  at_ = tree_->after(at_);
  skip_ignored();
  return *this;
}

void NodeEntries::Iterator::skip_ignored() {
  while (map_ && at_ != end_ && tree_->is_ignored(at_)) at_ = tree_->after(tree_->after(at_));
}

NodeEntries::Iterator NodeEntries::begin() const {
  if (tree_ == nullptr) return end();
  return {*tree_, container_ + 1, tree_->after(container_), tree_->kind(container_) == Node::Kind::Map};
}

NodeEntries::Iterator NodeEntries::end() const {
  static const NodeTree kNone;
  if (tree_ == nullptr) return {kNone, 0, 0, false};
  const size_t end = tree_->after(container_);
  return {*tree_, end, end, false};
}

bool NodeEntries::empty() const { return begin() == end(); }

NodeEntry NodeEntries::operator[](size_t index) const {
  Iterator at = begin();
  for (; index > 0; --index) ++at;
  return *at;
}

std::optional<NodeEntry> Node::find(std::string_view key) const {
  std::optional<NodeEntry> found;
  for (const NodeEntry& each : entries) {
    if (each.key == key) found = each;
  }
  return found;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::Null:
      return "null";
    case Node::Kind::Boolean:
      return cat("the boolean ", node.text);
    case Node::Kind::Number:
      return cat("the number ", node.text);
    case Node::Kind::Text: {
      constexpr size_t kShown = 60;
      const bool cut = node.text.size() > kShown;
      return cat("the text ", json_quote(node.text.substr(0, kShown)), cut ? "..." : "");
    }
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Map:
      return "a map";
  }
  return {};
}

size_t NodeTree::add(Node::Kind kind, Position at, std::string_view text) {
  SLUICE_CHECK(cells_.size() < UINT32_MAX && text.size() <= UINT32_MAX);
  Cell& cell = cells_.emplace_back();
  cell.text = text.data();
  cell.size = static_cast<uint32_t>(text.size());
  cell.line = at.line;
  cell.column = std::min(at.column, Position::kLastColumn);
  cell.kind = kind;
  return cells_.size() - 1;
}

size_t NodeTree::add_boolean(bool value, Position at, std::string_view text) {
  const size_t cell = add(Node::Kind::Boolean, at, text);
  cells_[cell].boolean = value;
  return cell;
}

void NodeTree::add_alias(size_t target, Position at) {
  Cell& cell = cells_[add(Node::Kind::Null, at)];
  cell.alias = true;
  cell.target = static_cast<uint32_t>(target);
  cells_[target].shared = true;
}

Node NodeTree::node(size_t number) const {
  const Cell& cell = cells_[number];
  if (cell.alias) return node(cell.target);
  Node out{.kind = cell.kind, .boolean = cell.boolean, .shared = cell.shared, .at = at(number)};
  if (out.is(Node::Kind::List) || out.is(Node::Kind::Map)) {
    out.entries = NodeEntries(*this, number);
  } else {
    out.text = {cell.text, cell.size};
  }
  return out;
}

std::string_view NodeTree::text(size_t number) const { return {cells_[number].text, cells_[number].size}; }

size_t NodeTree::after(size_t number) const {
  const Cell& cell = cells_[number];
  const bool container = !cell.alias && (cell.kind == Node::Kind::List || cell.kind == Node::Kind::Map);
  return container ? cell.end : number + 1;
}

std::string_view NodeTree::keep(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  if (text.size() > room_) {
    constexpr size_t kBlock = 64 * 1024;
    const size_t size = std::max(kBlock, text.size());
    blocks_.push_back(std::make_unique<char[]>(size));
    next_ = blocks_.back().get();
    room_ = size;
  }
  std::memcpy(next_, text.data(), text.size());
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  room_ -= text.size();
  return kept;
}

}  // namespace sluice::config
