// HttpConnectionManager -> HttpPlan.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
#pragma once

#include "config/extensions.h"

namespace sluice::filters::http_connection_manager {

// The connection manager as an extension.
config::NetworkFilterType extension();

}  // namespace sluice::filters::http_connection_manager
