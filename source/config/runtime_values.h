// RuntimeValues: the runtime as compilers ask for it, and the reader of static layers.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/operations/runtime
#pragma once

#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/key.h"
#include "runtime/layers.h"

namespace sluice::config {

// Two ways to ask: what a key says now, for what Envoy reads once when it builds something, and handles that follow
// the key. Thread: main.
class RuntimeValues {
 public:
  // Keys are dotted paths; a map with a numerator or a denominator is one value. Returns the keys whose values can be
  // none: lists and null.
  static std::vector<std::string> read_layer(const google::protobuf::Struct& layer, runtime::Values& out);

  std::optional<uint64_t> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;

  // Without a key they are their defaults for ever.
  runtime::Fraction fraction(runtime::Fraction fallback) const;
  runtime::Number live_number(uint64_t fallback, std::string_view key) const;
  runtime::Decimal live_decimal(double fallback, std::string_view key) const;
  runtime::Flag live_flag(bool fallback, std::string_view key) const;

  runtime::Layers& layers() { return *layers_; }
  std::shared_ptr<runtime::Layers> share() const { return layers_; }

 private:
  std::shared_ptr<runtime::Layers> layers_ = std::make_shared<runtime::Layers>();
};

}  // namespace sluice::config
