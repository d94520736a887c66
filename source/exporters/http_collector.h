// HttpCollector: where spans are sent by HTTP, as an HttpService of the configuration says.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/http_service.proto
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace sluice::exporters {

using Fields = std::vector<std::pair<std::string, std::string>>;

// A plain value.
struct HttpCollector {
  std::string cluster, authority, path;
  Fields fields;  // request_headers_to_add
  Duration timeout{0};
};

}  // namespace sluice::exporters
