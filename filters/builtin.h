// The list of everything that this build can do with a configuration: no extension registers itself.
#pragma once

#include "config/extensions.h"

namespace sluice::filters {

config::Extensions builtin();

}  // namespace sluice::filters
