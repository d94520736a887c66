#include "filters/http/grpc_web/grpc_web_config.h"

#include "config/compile_scope.h"
#include "filters/http/grpc_web/grpc_web.h"

namespace sluice::filters::grpc_web {
namespace {

// The message has no fields.
std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message&, config::CompileScope&) {
  return std::make_shared<const GrpcWebFactory>();
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb", .compile = &compile};
}

}  // namespace sluice::filters::grpc_web
