// What a configuration takes out of files while the process runs (cds, eds, lds, rds, srds, filters), read once, so
// that `sluice explain` sees it too.
#pragma once

#include <string>
#include <vector>

#include "config/bootstrap.h"

namespace sluice::explain {

// Adds it to the bootstrap, and fills the slots of what is there. Returns one sentence for each thing that stays
// unknown: a file that cannot be read or was not taken whole, and what only a control plane knows. Thread: main.
std::vector<std::string> read_discovered_files(config::CompiledBootstrap& bootstrap);

}  // namespace sluice::explain
