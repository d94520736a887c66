// The compiler of envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig.
#pragma once

#include "config/extensions.h"

namespace sluice::exporters {

config::AccessLoggerType otlp_log();

}  // namespace sluice::exporters
