// The validation rules of the API (validate.rules on fields and oneofs), checked by reflection over a whole message
// tree.
//
// Descends into messages, lists, maps, and into the typed content of Any messages (as far as the SourceMap has it), but
// not into metadata, which Envoy leaves alone too. Besides the rules, every Duration must be one: not negative, within
// 292 years. Texts are measured in code points, patterns must match as a whole.
#pragma once

#include <google/protobuf/message.h>

#include "config/config_error.h"
#include "config/source_map.h"

namespace sluice::config {

// Adds an error for every rule that `message` breaks, with place and path, e.g. "clusters[0].name: must have at least 1
// character". What a reading error explains already is not told again. Thread: as the map.
void validate(const google::protobuf::Message& message, const SourceMap& map, Findings& findings);

}  // namespace sluice::config
