// Router -> RouterFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::router {

// The router as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::router
