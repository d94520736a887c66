// BandwidthLimit -> BandwidthLimitFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::bandwidth_limit {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::bandwidth_limit
