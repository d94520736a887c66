// The compilers of envoy.extensions.access_loggers.grpc.v3.{Http,Tcp}GrpcAccessLogConfig.
#pragma once

#include "config/extensions.h"

namespace sluice::exporters {

config::AccessLoggerType http_als();
config::AccessLoggerType tcp_als();

}  // namespace sluice::exporters
