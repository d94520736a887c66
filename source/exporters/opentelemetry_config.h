// The compiler of envoy.config.trace.v3.OpenTelemetryConfig.
#pragma once

#include "config/extensions.h"

namespace sluice::exporters {

config::TracerType opentelemetry();

}  // namespace sluice::exporters
