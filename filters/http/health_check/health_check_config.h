// HealthCheck -> HealthCheckFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::health_check {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::health_check
