// One scalar of a text -> one scalar of a message, by Envoy's lenient rules:
// whole numbers may stand in quotes, be hexadecimal there, or be written as a fraction without a rest (1.0, 1e3);
// booleans in quotes may be true, t, yes, y, 1 and their opposites; enum values are names in any case, or numbers;
// bytes are base64 in either alphabet, with all of its padding or none.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "config/node.h"

namespace sluice::config {

// Each returns nothing when the node does not fit, and says in `why` what was expected and what was found.
// Thread: any.
std::optional<int64_t> to_signed(const Node& node, int64_t min, int64_t max, std::string& why);
std::optional<uint64_t> to_unsigned(const Node& node, uint64_t max, std::string& why);
std::optional<double> to_double(const Node& node, std::string& why);
std::optional<bool> to_boolean(const Node& node, std::string& why);
std::optional<std::string> to_text(const Node& node, std::string& why);
std::optional<std::string> to_bytes(const Node& node, std::string& why);
// `unknown_name` is set when the only thing wrong is that the enum has no value of this name.
std::optional<int> to_enum(const Node& node, const google::protobuf::EnumDescriptor& type, std::string& why,
                           bool& unknown_name);

}  // namespace sluice::config
