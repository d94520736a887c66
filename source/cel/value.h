// Value: what an expression and its parts are worth. Lists, maps and texts are views: of the expression, of the facts,
// or of what the evaluation made.
#pragma once

#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metadata.h"
#include "format/facts.h"

namespace sluice::cel {

struct Value;
using Values = std::vector<Value>;
using Entries = std::vector<std::pair<Value, Value>>;

// The names that an expression can begin with.
enum class Root : uint8_t { kRequest, kResponse, kConnection, kUpstream, kSource, kDestination, kXds, kFilterState };

// A span of time, or a moment since 1970: whole seconds, and nanoseconds that always count upwards from them.
struct Seconds {
  int64_t whole;
  int32_t nanoseconds;  // 0..999'999'999
  friend auto operator<=>(const Seconds&, const Seconds&) = default;
};

// One of the language's kinds, or an error, which ends whatever it stands in (but what && and || do not need). Cheap to
// copy. Valid as long as its expression, facts and evaluation. Thread: its evaluation's.
struct Value {
  enum class Kind : uint8_t {
    kError,
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kDuration,
    kTimestamp,
    kList,
    kMap,
    kMessage,
    kType,
  };
  // Where lists and maps keep what they hold.
  enum class Keeper : uint8_t { kOwn, kMetadata, kAttributes, kRequestHeaders, kResponseHeaders, kTrailers };

  Kind kind = Kind::kError;
  Keeper keeper = Keeper::kOwn;
  union {
    bool truth;
    int64_t number = 0;
    uint64_t natural;
    double real;
    Seconds time;
    const Values* list;
    const Entries* map;
    const sluice::Value::List* metadata_list;
    const sluice::Value::Map* metadata_map;
    const sluice::Metadata* message;  // the only kind of message there is
    Root root;
    Kind type;
  };
  std::string_view text;  // of strings and bytes

  static Value error() { return {}; }
  static Value null() { return of_kind(Kind::kNull); }
  static Value boolean(bool truth);
  static Value integer(int64_t number);
  static Value natural_number(uint64_t number);
  static Value floating(double number);
  static Value string(std::string_view text);
  static Value bytes(std::string_view text);
  static Value duration(Seconds time);
  static Value timestamp(Seconds time);
  static Value list_of(const Values& values);
  static Value map_of(const Entries& entries);
  static Value attributes(Root root);
  static Value headers(Keeper keeper);
  static Value metadata(const sluice::Metadata& metadata);
  static Value map_of(const sluice::Value::Map& map);
  static Value of(const sluice::Value& value);  // as the struct of a message shows it: numbers are doubles
  static Value type_of(Kind kind);

  bool is(Kind other) const { return kind == other; }
  bool is_number() const { return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble; }

 private:
  static Value of_kind(Kind kind) {
    Value value;
    value.kind = kind;
    return value;
  }
};

// One run of an expression over the facts of one exchange or connection; keeps what it makes. Thread: its worker's.
struct Evaluation {
  explicit Evaluation(const format::Facts& about) : facts(about) {}

  std::string_view keep(std::string text);
  const Values& keep(Values values);
  const Entries& keep(Entries entries);

  const format::Facts& facts;

 private:
  std::forward_list<std::string> texts_;
  std::forward_list<Values> lists_;
  std::forward_list<Entries> maps_;
};

// Numbers of any kind are compared by what they say; values of different kinds are different.
bool equal(const Value& a, const Value& b, Evaluation& evaluation);
// Below, equal to or above 0; nothing when the two have no order.
std::optional<int> compare(const Value& a, const Value& b);

// Of a list or map.
size_t size_of(const Value& container, Evaluation& evaluation);
Value element_of(const Value& list, size_t index);
// Nothing when the map does not have it.
std::optional<Value> find(const Value& map, const Value& key, Evaluation& evaluation);
std::optional<Value> find_field(const Value& map, std::string_view key, Evaluation& evaluation);

}  // namespace sluice::cel
