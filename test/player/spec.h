// Spec: reading what a case says, and writing down what was seen. Both are JSON.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/value.h"

namespace sluice::player {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A map of a case, or one of its values. Points into the case, which outlives it. Thread: any.
class Spec {
 public:
  Spec() = default;
  explicit Spec(const Value* value) : value_(value) {}

  Spec operator[](std::string_view key) const;
  bool has(std::string_view key) const { return (*this)[key].value_ != nullptr; }
  bool is_null() const { return value_ == nullptr || value_->is_null(); }
  // As Python has it: null, false, 0, "" and what is empty are not.
  bool truthy() const;
  const Value* value() const { return value_; }
  const std::string* as_text() const { return value_ == nullptr ? nullptr : value_->as_text(); }
  bool says(std::string_view text) const { return as_text() != nullptr && *as_text() == text; }

  // Text, or a number as text.
  std::string text(std::string_view otherwise = "") const;
  double number(double otherwise = 0) const;
  size_t size(size_t otherwise = 0) const { return static_cast<size_t>(number(static_cast<double>(otherwise))); }
  Duration ms(double otherwise = 0) const;
  std::vector<Spec> list() const;
  std::vector<std::pair<std::string, Spec>> members() const;
  // A list of [name, value]; in bytes.
  Pairs pairs() const;

 private:
  const Value* value_ = nullptr;
};

// Text of a case as bytes: characters up to U+00FF are a byte each, text with others is UTF-8.
std::string as_bytes(std::string_view text);
// body_base64, body_size or body.
std::string body_of(const Spec& spec);
std::string filler(size_t size);

// What was seen, as JSON. Bytes stand as {"$bytes": BASE64} or {"$json": BASE64}: how they are shown in a recording is
// the runner's matter.
enum class Shown : uint8_t { kAsItIs, kSortedJson };
Value bytes(std::string_view data, Shown shown = Shown::kAsItIs);
// What bytes() was given.
std::string shown_bytes(const Value& value);
// Bytes as text, one character each.
Value text(std::string_view data);
Value pairs(const Pairs& pairs);
Value number(double number);
std::string to_json(const Value& value);

}  // namespace sluice::player
