// What an expression can ask of an exchange or a connection.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/advanced/attributes
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cel/value.h"

namespace sluice::cel {

// One name below a root. Static. Thread: any.
struct Attribute {
  Root root;
  std::string_view name;
  // Nothing when it does not have one (yet). Null: it is Envoy's, and not supported.
  std::optional<Value> (*value)(Evaluation& evaluation);
};

// Null when there is none of that name.
const Attribute* find_attribute(Root root, std::string_view name);
// "request" ...; nothing for other names ("metadata" is a message, not a root).
std::optional<Root> find_root(std::string_view name);

// By any spelling of the name; several lines are joined with commas. Also ":path" and its like.
std::optional<Value> header(Value::Keeper whose, std::string_view name, Evaluation& evaluation);
// Each name once.
std::vector<std::string_view> header_names(Value::Keeper whose, const format::Facts& facts);

// The bytes of an object.
std::optional<Value> filter_state(std::string_view key, const Evaluation& evaluation);

}  // namespace sluice::cel
