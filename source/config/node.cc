#include "config/node.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"

namespace sluice::config {

const NodeEntry* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(), [&](const NodeEntry& e) { return e.key == key; });
  return found == entries.rend() ? nullptr : &*found;
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

Node& NodeTree::add(Node::Kind kind, Position at) {
  Node& node = nodes_.emplace_back();
  node.kind = kind;
  node.at = at;
  return node;
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
