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
    const Position at = position(mark);
    scalar(at, anchor, "null", Ignored::kNo, [&] { return tree_.add(Node::Kind::Null, at); });
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Position at = position(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{at, "this alias has no anchor"};
    const size_t target = found->second;
    for (const Open& open : open_) {
      if (open.cell == target) throw Stop{at, "this alias stands inside of its own anchor"};
    }
    if (!in_key()) {
      tree_.add_alias(target, at);
    } else if (const Node node = tree_.node(target); node.is(Node::Kind::List) || node.is(Node::Kind::Map)) {
      add_bad_key(at);
    } else if (const size_t key = tree_.add(Node::Kind::Text, at, node.text); tree_.is_ignored(target)) {
      tree_.ignore(key);
    }
    turn();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Position at = position(mark);
    // As a key, the spelling counts, whatever it would be as a value.
    const std::string_view spelling = tree_.keep(value);
    scalar(at, anchor, spelling, tag == "!ignore" ? Ignored::kYes : Ignored::kNo,
           [&] { return tag == "!" ? tree_.add(Node::Kind::Text, at, spelling) : add_plain(at, spelling); });
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
    const size_t map = open_.back().cell;
    close();
    drop_duplicates(map);
  }

 private:
  enum class Ignored : uint8_t { kNo, kYes };

  // A container whose end has not come yet.
  struct Open {
    size_t cell;
    bool map;
    bool has_key = false;  // which waits for its value
  };

  Position position(const YAML::Mark& mark) const { return position_of(mark, file_); }

  bool in_key() const { return !open_.empty() && open_.back().map && !open_.back().has_key; }
  // After a key comes its value, after a value a key.
  void turn() {
    if (!open_.empty()) open_.back().has_key = !open_.back().has_key;
  }

  // `add_value` adds the cell that it is as a value.
  template <typename AddValue>
  void scalar(Position at, YAML::anchor_t anchor, std::string_view spelling, Ignored ignored, AddValue add_value) {
    if (in_key()) {
      if (anchor != YAML::NullAnchor) {
        // An alias to a key means what it would be as a value: the value of an entry that nobody sees.
        tree_.ignore(tree_.add(Node::Kind::Text, at));
        remember(anchor, add_value());
      }
      const size_t key = tree_.add(Node::Kind::Text, at, spelling);
      if (ignored == Ignored::kYes) tree_.ignore(key);
    } else {
      const size_t value = add_value();
      // It counts when an alias to it is a key.
      if (ignored == Ignored::kYes) tree_.ignore(value);
      remember(anchor, value);
    }
    turn();
  }

  // What a scalar without quotes is.
  size_t add_plain(Position at, std::string_view word) {
    if (const auto boolean = as_boolean(word)) return tree_.add_boolean(*boolean, at, word);
    const auto number = as_integer(word);
    if (!number) return tree_.add(Node::Kind::Text, at, word);
    const bool small = *number >= std::numeric_limits<int32_t>::min() && *number <= std::numeric_limits<int32_t>::max();
    return tree_.add(small ? Node::Kind::Number : Node::Kind::Text, at, tree_.keep(cat(*number)));
  }

  void remember(YAML::anchor_t anchor, size_t cell) {
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = cell;
    }
  }

  // Not an error yet: yaml-cpp sees such keys in some broken texts, and has more to say about those.
  void add_bad_key(Position at) {
    if (!bad_key_) bad_key_ = at;
    tree_.add(Node::Kind::Text, at);
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) throw Stop{position(mark), "more than 100 lists and maps within each other"};
    if (in_key() && !bad_key_) bad_key_ = position(mark);
    const size_t cell = tree_.add(kind, position(mark));
    remember(anchor, cell);
    turn();
    open_.push_back({cell, kind == Node::Kind::Map});
  }

  void close() {
    tree_.close(open_.back().cell);
    open_.pop_back();
  }

  void drop_duplicates(size_t map) {
    if (bad_key_) return;
    std::unordered_map<std::string_view, size_t> last;
    const size_t end = tree_.after(map);
    const auto for_each_key = [&](auto use) {
      for (size_t key = map + 1; key != end; key = tree_.after(tree_.after(key))) {
        if (!tree_.is_ignored(key)) use(key);
      }
    };
    for_each_key([&](size_t key) { last[tree_.text(key)] = key; });
    for_each_key([&](size_t key) {
      const size_t winner = last[tree_.text(key)];
      if (winner == key) return;
      tree_.ignore(key);
      findings_.note({ConfigNote::Kind::DuplicateKey,
                      {std::string(name_),
                       tree_.at(key),
                       {},
                       cat("the key \"", tree_.text(key), "\" stands again in line ", tree_.at(winner).line,
                           ", and only that one counts")}});
    });
  }

  const uint32_t file_;
  const std::string_view name_;
  NodeTree& tree_;
  Findings& findings_;
  std::vector<Open> open_;
  std::optional<Position> bad_key_;
  std::unordered_map<YAML::anchor_t, size_t> anchors_;
};

}  // namespace

bool parse_yaml(std::string_view text, uint32_t file, std::string_view name, NodeTree& tree, Findings& findings) {
  tree = NodeTree(file);
  const auto fail = [&](Position at, std::string text) {
    tree.clear();
    findings.fail({std::string(name), at, {}, std::move(text)});
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(file, name, tree, findings);
    if (!parser.HandleNextDocument(builder) || tree.empty()) {
      tree.add(Node::Kind::Null, {1, 1, file});
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
