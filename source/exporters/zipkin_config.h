// The compiler of envoy.config.trace.v3.ZipkinConfig.
#pragma once

#include "config/extensions.h"

namespace sluice::exporters {

config::TracerType zipkin();

}  // namespace sluice::exporters
