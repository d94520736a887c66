// grpc_web: clients that speak gRPC-Web (browsers) with servers that speak gRPC.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/grpc_web_filter
#pragma once

#include "proxy/filter.h"

namespace sluice::filters::grpc_web {

// Thread: any (immutable).
class GrpcWebFactory final : public proxy::HttpFilterFactory {
 public:
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
};

}  // namespace sluice::filters::grpc_web
