#include "config/yaml_nodes.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "base/strings.h"

namespace sluice::config {
namespace {

// Thrown through yaml-cpp to stop it at an error of ours; caught in parse_yaml.
struct Stop {
  Position at;
  const char* text;
};

bool flexible_case(std::string_view word, std::string_view lower_word) {
  if (!equal_ignore_case(word, lower_word)) return false;
  const auto is_lower = [](char c) { return c >= 'a'; };
  const std::string_view rest = word.substr(1);
  const bool rest_lower = std::all_of(rest.begin(), rest.end(), is_lower);
  const bool rest_upper = std::none_of(rest.begin(), rest.end(), is_lower);
  return rest_lower || (rest_upper && !is_lower(word[0]));
}

std::optional<bool> as_boolean(std::string_view word) {
  constexpr std::array<std::string_view, 4> kTrue = {"y", "yes", "true", "on"};
  constexpr std::array<std::string_view, 4> kFalse = {"n", "no", "false", "off"};
  if (word.empty() || word.size() > 5) return std::nullopt;
  for (size_t i = 0; i < kTrue.size(); ++i) {
    if (flexible_case(word, kTrue[i])) return true;
    if (flexible_case(word, kFalse[i])) return false;
  }
  return std::nullopt;
}

// As strtoll with base 0 over the whole word.
std::optional<int64_t> as_integer(std::string_view word) {
  std::string_view digits = word;
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const bool hexadecimal = lower(digits[1]) == 'x';
    base = hexadecimal ? 16 : 8;
    digits.remove_prefix(hexadecimal ? 2 : 1);
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value > kMax + (negative ? 1 : 0)) return std::nullopt;
  return negative ? static_cast<int64_t>(~value + 1) : static_cast<int64_t>(value);
}

Position position_of(const YAML::Mark& mark, uint32_t file) {
  if (mark.is_null()) return {0, 0, file};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1), file};
}

// Builds the tree from yaml-cpp's events. Thread: one.
class Builder final : public YAML::EventHandler {
 public:
  Builder(uint32_t file, std::string_view name, NodeTree& tree, Findings& findings)
      : file_(file), name_(name), tree_(tree), findings_(findings) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node& node = tree_.add(Node::Kind::Null, position(mark));
    remember(anchor, node);
    attach(node, node.at, "null");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{position(mark), "this alias has no anchor"};
    for (const Open& open : open_) {
      if (open.node == found->second) throw Stop{position(mark), "this alias stands inside of its own anchor"};
    }
    found->second->shared = true;
    attach(*found->second, position(mark), found->second->text);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node& node = tree_.add(Node::Kind::Text, position(mark));
    node.ignored = tag == "!ignore";
    // As a key, the spelling counts, whatever it would be as a value.
    const std::string_view spelling = tree_.keep(value);
    node.text = spelling;
    if (tag != "!") {
      decide(node);
    }
    remember(anchor, node);
    attach(node, node.at, spelling);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::List, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::Map, mark, anchor);
  }
  // Where a list or a map stood as a key, if anywhere.
  std::optional<Position> bad_key() const { return bad_key_; }

  void OnMapEnd() override {
    drop_duplicates(*open_.back().node);
    close();
  }

 private:
  // A container whose end has not come yet; for a map, the key that waits for its value.
  struct Open {
    Node* node;
    bool has_key = false;
    bool ignored = false;
    std::string_view key;
    Position key_at;
  };

  Position position(const YAML::Mark& mark) const { return position_of(mark, file_); }

  void decide(Node& node) {
    if (const auto boolean = as_boolean(node.text)) {
      node.kind = Node::Kind::Boolean;
      node.boolean = *boolean;
      return;
    }
    const auto number = as_integer(node.text);
    if (!number) return;
    const bool small = *number >= std::numeric_limits<int32_t>::min() && *number <= std::numeric_limits<int32_t>::max();
    if (small) {
      node.kind = Node::Kind::Number;
    }
    node.text = tree_.keep(cat(*number));
  }

  void remember(YAML::anchor_t anchor, Node& node) {
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = &node;
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) throw Stop{position(mark), "more than 100 lists and maps within each other"};
    Node& node = tree_.add(kind, position(mark));
    remember(anchor, node);
    attach(node, node.at, {});
    open_.push_back({&node});
  }

  void close() { open_.pop_back(); }

  // Gives a node to the container around it, as an element, a key or a value.
  void attach(const Node& node, Position at, std::string_view spelling) {
    if (open_.empty()) {
      tree_.root = &node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->is(Node::Kind::List)) {
      parent.node->entries.push_back({{}, at, &node});
      return;
    }
    if (!parent.has_key) {
      // Not an error yet: yaml-cpp sees such keys in some broken texts, and has more to say about those.
      if (!bad_key_ && (node.is(Node::Kind::List) || node.is(Node::Kind::Map))) {
        bad_key_ = at;
      }
      parent.has_key = true;
      parent.ignored = node.ignored;
      parent.key = spelling;
      parent.key_at = at;
      return;
    }
    parent.has_key = false;
    if (!parent.ignored) {
      parent.node->entries.push_back({parent.key, parent.key_at, &node});
    }
  }

  void drop_duplicates(Node& map) {
    std::unordered_map<std::string_view, size_t> last;
    last.reserve(map.entries.size());
    for (size_t i = 0; i < map.entries.size(); ++i) {
      last[map.entries[i].key] = i;
    }
    if (last.size() == map.entries.size()) return;
    std::vector<NodeEntry> kept;
    for (size_t i = 0; i < map.entries.size(); ++i) {
      const NodeEntry& entry = map.entries[i];
      const NodeEntry& winner = map.entries[last[entry.key]];
      if (&winner == &entry) {
        kept.push_back(entry);
        continue;
      }
      findings_.note({ConfigNote::Kind::DuplicateKey,
                      {std::string(name_),
                       entry.key_at,
                       {},
                       cat("the key \"", entry.key, "\" stands again in line ", winner.key_at.line,
                           ", and only that one counts")}});
    }
    map.entries = std::move(kept);
  }

  const uint32_t file_;
  const std::string_view name_;
  NodeTree& tree_;
  Findings& findings_;
  std::vector<Open> open_;
  std::optional<Position> bad_key_;
  std::unordered_map<YAML::anchor_t, Node*> anchors_;
};

}  // namespace

bool parse_yaml(std::string_view text, uint32_t file, std::string_view name, NodeTree& tree, Findings& findings) {
  tree.root = nullptr;
  const auto fail = [&](Position at, std::string text) {
    tree.root = nullptr;
    findings.fail({std::string(name), at, {}, std::move(text)});
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(file, name, tree, findings);
    if (!parser.HandleNextDocument(builder) || tree.root == nullptr) {
      tree.root = &tree.add(Node::Kind::Null, {1, 1, file});
    }
    if (builder.bad_key()) throw Stop{*builder.bad_key(), "a key must be a plain text"};
    return true;
  } catch (const Stop& stop) {
    fail(stop.at, stop.text);
  } catch (const YAML::DeepRecursion& error) {
    fail(position_of(error.mark, file), "more than 100 lists and maps within each other");
  } catch (const YAML::Exception& error) {
    fail(position_of(error.mark, file), cat("not YAML: ", error.msg));
  } catch (const std::exception& error) {
    fail({0, 0, file}, cat("not YAML: ", error.what()));
  }
  return false;
}

}  // namespace sluice::config
