// Router -> RouterFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters {

// The router as an extension.
config::HttpFilterType router();

}  // namespace sluice::filters
