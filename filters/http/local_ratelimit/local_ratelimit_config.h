// LocalRateLimit -> LocalRateLimitFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::local_ratelimit {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::local_ratelimit
