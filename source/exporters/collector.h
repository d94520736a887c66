// Collector: where an exporter sends, as an HttpService or a GrpcService of the configuration says.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/http_service.proto
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/grpc_service.proto
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "event/loop.h"
#include "format/formatter.h"
#include "http/header_map.h"

namespace sluice::upstream {
class GoogleService;
}

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
  std::shared_ptr<const upstream::GoogleService> google;  // of google_grpc, in place of the cluster; null: none
  // Of request_headers_to_add, what command operators change from time to time.
  std::vector<std::pair<std::string, format::Formatter>> computed;
};

// Writes both kinds of fields. There is no request that operators could tell of: what is said of one is "-", or 0.
void add_fields(const Collector& collector, const event::Loop& loop, http::HeaderMap& fields);

}  // namespace sluice::exporters
