#include "config/tls_compiler.h"

#include "base/strings.h"
#include "config/tls_secrets.h"
#include "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h"

namespace sluice::config {
namespace {

using envoy::config::core::v3::TransportSocket;
using RawBuffer = envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;

template <typename Tls>
net::TransportSocketPlanPtr compile(const TransportSocket& proto, std::string_view stat_prefix, CompileScope& scope) {
  if (!proto.has_typed_config()) {
    scope.error(proto, cat("the transport socket '", proto.name(), "' needs a typed_config: it is found by its type"));
    return nullptr;
  }
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr || content->GetDescriptor() == RawBuffer::descriptor()) return nullptr;
  if (content->GetDescriptor() == Tls::descriptor()) {
    return scope.tls->add(static_cast<const Tls&>(*content), stat_prefix, scope);
  }
  const std::string& type = content->GetDescriptor()->full_name();
  const bool other_side = type.ends_with("DownstreamTlsContext") || type.ends_with("UpstreamTlsContext");
  scope.error(proto.typed_config(),
              other_side ? cat(type, " is for the other side") : cat("not supported yet: ", type));
  return nullptr;
}

}  // namespace

net::TransportSocketPlanPtr compile_downstream_socket(const TransportSocket& proto, std::string_view stat_prefix,
                                                      CompileScope& scope) {
  return compile<TlsSecrets::Downstream>(proto, stat_prefix, scope);
}

net::TransportSocketPlanPtr compile_upstream_socket(const TransportSocket& proto, std::string_view stat_prefix,
                                                    CompileScope& scope) {
  return compile<TlsSecrets::Upstream>(proto, stat_prefix, scope);
}

}  // namespace sluice::config
