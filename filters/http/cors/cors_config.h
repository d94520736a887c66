// Cors and CorsPolicy -> CorsFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::cors {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::cors
