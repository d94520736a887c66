// FilterConfig -> GrpcStatsFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::grpc_stats {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::grpc_stats
