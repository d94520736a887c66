// CustomResponse -> CustomResponseFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::custom_response {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::custom_response
