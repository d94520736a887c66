// HttpConnectionManager -> HttpPlan.
// Fields: api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
#pragma once

#include "config/extensions.h"

namespace sluice::filters::http_connection_manager {

// The connection manager as an extension.
config::NetworkFilterType extension();

}  // namespace sluice::filters::http_connection_manager
