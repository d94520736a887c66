// Collector: where an exporter sends, as an HttpService or a GrpcService of the configuration says.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/http_service.proto
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/grpc_service.proto
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace sluice::exporters {

using Fields = std::vector<std::pair<std::string, std::string>>;

// A plain value.
struct Collector {
  enum class Over : uint8_t { kHttp, kGrpc };
  std::string cluster;
  std::string authority;  // empty: the cluster's name
  std::string path;       // of HTTP; the exporter knows the method of gRPC
  Fields fields;          // request_headers_to_add, initial_metadata
  Duration timeout{0};
  Over over = Over::kHttp;
};

}  // namespace sluice::exporters
