#include "filters/http/buffer/buffer_config.h"

#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/buffer/v3/buffer.pb.h"
#include "filters/http/buffer/buffer.h"

namespace sluice::filters::buffer {
namespace {

namespace v3 = envoy::extensions::filters::http::buffer::v3;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::Buffer&>(message);
  scope.only(proto, {v3::Buffer::kMaxRequestBytesFieldNumber});
  return std::make_shared<const BufferFactory>(scope.filter_name, proto.max_request_bytes().value());
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::BufferPerRoute&>(message);
  scope.only(proto, {v3::BufferPerRoute::kDisabledFieldNumber, v3::BufferPerRoute::kBufferFieldNumber});
  return std::make_shared<const RouteSettings>(proto.disabled(), proto.buffer().max_request_bytes().value());
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.buffer.v3.Buffer",
          .compile = &compile,
          .upstream = true,
          .route_type = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::buffer
