// Tree: xds.type.matcher.v3.Matcher, compiled: finds an action for some data. One engine for everybody: `Data` is what
// its inputs look at.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/advanced/matching/matching_api
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "match/string_matcher.h"

namespace sluice::match {

// What a match leads to; the user of a tree knows of which type its actions are. Immutable. Thread: any.
class Action {
 public:
  virtual ~Action() = default;
};

// Reads one text out of the data. Immutable. Thread: any.
template <typename Data>
class Input {
 public:
  // For texts that must be made.
  using Space = std::string;
  virtual ~Input() = default;
  // Null data: there is none, and nothing matches it.
  virtual std::string_view read(const Data& data, Space& space) const = 0;
};

// Immutable. Thread: any.
template <typename Data>
class Tree {
 public:
  using InputPtr = std::unique_ptr<const Input<Data>>;
  using TreePtr = std::unique_ptr<const Tree>;

  struct Predicate {
    enum class Kind : uint8_t { kSingle, kAnd, kOr, kNot };
    Kind kind = Kind::kSingle;
    InputPtr input;       // of kSingle
    StringMatcher value;  // of kSingle
    std::vector<Predicate> children;

    bool holds(const Data& data) const {
      switch (kind) {
        case Kind::kSingle: {
          typename Input<Data>::Space space;
          const std::string_view text = input->read(data, space);
          return text.data() != nullptr && value.matches(text);
        }
        case Kind::kAnd:
          for (const Predicate& child : children) {
            if (!child.holds(data)) return false;
          }
          return true;
        case Kind::kOr:
          for (const Predicate& child : children) {
            if (child.holds(data)) return true;
          }
          return false;
        case Kind::kNot:
          return !children.front().holds(data);
      }
      return false;
    }
  };

  // Either a tree or an action.
  struct OnMatch {
    TreePtr tree;
    std::shared_ptr<const Action> action;

    const Action* find(const Data& data) const { return tree != nullptr ? tree->find(data) : action.get(); }
  };

  // matcher_list: the first whose predicate holds; when its tree finds nothing, the next ones are asked.
  struct List {
    std::vector<std::pair<Predicate, OnMatch>> matchers;
  };
  // exact_match_map, prefix_match_map: a longer prefix is asked before a shorter one.
  struct Map {
    enum class By : uint8_t { kExact, kPrefix };
    By by = By::kExact;
    InputPtr input;
    std::map<std::string, OnMatch, std::less<>> values;
  };
  struct Nothing {};

  Tree(std::variant<Nothing, List, Map> body, OnMatch on_no_match)
      : body_(std::move(body)), on_no_match_(std::move(on_no_match)) {}

  // Null when nothing matches.
  const Action* find(const Data& data) const {
    const Action* found = nullptr;
    if (const List* list = std::get_if<List>(&body_)) {
      found = find(*list, data);
    } else if (const Map* map = std::get_if<Map>(&body_)) {
      found = find(*map, data);
    }
    return found != nullptr ? found : on_no_match_.find(data);
  }

 private:
  static const Action* find(const List& list, const Data& data) {
    for (const auto& [predicate, on_match] : list.matchers) {
      if (!predicate.holds(data)) continue;
      if (const Action* found = on_match.find(data)) return found;
    }
    return nullptr;
  }

  static const Action* find(const Map& map, const Data& data) {
    typename Input<Data>::Space space;
    const std::string_view text = map.input->read(data, space);
    if (text.data() == nullptr) return nullptr;
    if (map.by == Map::By::kExact) {
      const auto at = map.values.find(text);
      return at == map.values.end() ? nullptr : at->second.find(data);
    }
    // Prefixes of a text stand before it, the longer behind the shorter.
    for (auto at = map.values.upper_bound(text); at != map.values.begin();) {
      --at;
      if (!text.starts_with(at->first)) continue;
      if (const Action* found = at->second.find(data)) return found;
    }
    return nullptr;
  }

  std::variant<Nothing, List, Map> body_;
  OnMatch on_no_match_;
};

}  // namespace sluice::match
