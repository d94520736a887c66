// Value: a JSON-like value, as metadata hold them: null, boolean, number, text, list or map.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

// A value; copied deeply. Thread: any.
class Value {
 public:
  struct Member;
  using List = std::vector<Value>;

  // Few keys, sorted.
  class Map {
   public:
    // Null when there is none.
    const Value* find(std::string_view key) const;
    Value* find(std::string_view key);
    // Made as null when there is none.
    Value& operator[](std::string_view key);
    void set(std::string_view key, Value value);
    bool empty() const { return size() == 0; }
    size_t size() const;
    std::vector<Member>::const_iterator begin() const;
    std::vector<Member>::const_iterator end() const;
    bool operator==(const Map& other) const;

   private:
    std::vector<Member>::iterator place_of(std::string_view key);
    std::vector<Member> members_;
  };

  Value();
  Value(std::string text);
  Value(std::string_view text);
  Value(const char* text);
  Value(List list);
  Value(Map map);
  static Value number(double number);
  static Value boolean(bool truth);

  bool is_null() const { return std::holds_alternative<std::monostate>(content_); }
  // Null when it is of another kind.
  const bool* as_boolean() const { return std::get_if<bool>(&content_); }
  const double* as_number() const { return std::get_if<double>(&content_); }
  const std::string* as_text() const { return std::get_if<std::string>(&content_); }
  const List* as_list() const { return std::get_if<List>(&content_); }
  const Map* as_map() const { return std::get_if<Map>(&content_); }
  List* as_list() { return std::get_if<List>(&content_); }
  Map* as_map() { return std::get_if<Map>(&content_); }

  friend bool operator==(const Value& a, const Value& b);

  // How set_metadata and its kin join two maps: maps are merged, lists appended, all else is replaced.
  void merge(const Value& other);

 private:
  using Content = std::variant<std::monostate, bool, double, std::string, List, Map>;
  explicit Value(Content content);
  Content content_;
};

struct Value::Member {
  std::string key;
  Value value;
  bool operator==(const Member& other) const { return key == other.key && value == other.value; }
};

// Down here, since they need to know what a member is.
inline size_t Value::Map::size() const { return members_.size(); }
inline std::vector<Value::Member>::const_iterator Value::Map::begin() const { return members_.begin(); }
inline std::vector<Value::Member>::const_iterator Value::Map::end() const { return members_.end(); }
inline Value::Value() = default;
inline Value::Value(std::string text) : content_(std::move(text)) {}
inline Value::Value(std::string_view text) : content_(std::string(text)) {}
inline Value::Value(const char* text) : content_(std::string(text)) {}
inline Value::Value(List list) : content_(std::move(list)) {}
inline Value::Value(Map map) : content_(std::move(map)) {}
inline Value::Value(Content content) : content_(std::move(content)) {}
inline Value Value::number(double number) { return Value(Content(number)); }
inline Value Value::boolean(bool truth) { return Value(Content(truth)); }
inline bool operator==(const Value& a, const Value& b) { return a.content_ == b.content_; }

}  // namespace sluice
