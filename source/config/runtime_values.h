// RuntimeValues: what the static layers of layered_runtime say, by key, as compilers ask for it.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/operations/runtime
#pragma once

#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/route_match.h"

namespace sluice::config {

// Keys are dotted paths; a nested map whose keys are numerator and denominator is one value. Later layers win.
// Thread: main.
class RuntimeValues {
 public:
  // Returns the keys whose values can be none: lists and null.
  std::vector<std::string> add_layer(const google::protobuf::Struct& layer);

  std::optional<uint64_t> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  // `fallback`, unless a layer has its runtime_key: a whole number (of a hundred) or a fraction.
  model::Fraction fraction(model::Fraction fallback) const;

 private:
  struct Value {
    std::optional<double> number;
    std::optional<bool> boolean;
    std::optional<model::Fraction> fraction;
  };
  const Value* find(std::string_view key) const;
  void add(const std::string& key, const google::protobuf::Value& value, std::vector<std::string>& refused);

  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace sluice::config
