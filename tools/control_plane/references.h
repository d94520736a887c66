// What a resource needs from the control plane that serves it.
#pragma once

#include <google/protobuf/message.h>

#include <vector>

#include "config/source_map.h"
#include "tools/control_plane/snapshot.h"

namespace sluice::control_plane {

// Endpoints of EDS clusters, tables of rds and secrets, whose config source is `ads` or `self`; what is looked up
// elsewhere is nobody's business here. `map` has the message. Thread: as the map.
std::vector<Reference> references_of(const google::protobuf::Message& message, const config::SourceMap& map);

}  // namespace sluice::control_plane
