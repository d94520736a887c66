// Messages that came as bytes: their fields get paths, for errors, and what is unknown in them is found.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "config/source_map.h"

namespace sluice::config {

// Puts `root` and all that is in it into the map (without lines: there are none), also what stands in Any messages of
// known types. Returns the paths of unknown fields, "PATH: field NUMBER". `root` outlives the map. Thread: as the map.
std::vector<std::string> add_tree(const google::protobuf::Message& root, SourceMap& map);

// The same bytes for the same content: maps have no order of their own.
std::string bytes_of(const google::protobuf::Message& message);

}  // namespace sluice::config
