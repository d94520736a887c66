// A message as JSON, as /config_dump shows it: protobuf's mapping, with the names of the .proto files.
// https://protobuf.dev/programming-guides/json/
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace sluice::config {

// Indented by one blank for each level, maps in the order of their keys, so the same content is the same text.
// protobuf's own printer ends at 64 levels, which metadata of an accepted configuration may have more of. An Any of an
// unknown type, or whose bytes are none of its type, shows its bytes in base64 as "value". Thread: any.
std::string to_json(const google::protobuf::Message& message);

}  // namespace sluice::config
