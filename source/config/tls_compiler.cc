#include "config/tls_compiler.h"

#include "base/strings.h"
#include "config/tls_secrets.h"
#include "envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream.pb.h"
#include "envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.pb.h"
#include "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h"
#include "net/internal_upstream.h"
#include "net/proxy_header.h"

namespace sluice::config {
namespace {

using envoy::config::core::v3::TransportSocket;
using RawBuffer = envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
using ProxyHeaderProto = envoy::extensions::transport_sockets::proxy_protocol::v3::ProxyProtocolUpstreamTransport;
using InternalProto = envoy::extensions::transport_sockets::internal_upstream::v3::InternalUpstreamTransport;
using HeaderConfig = envoy::config::core::v3::ProxyProtocolConfig;

net::TransportSocketPlanPtr compile_proxy_header(const ProxyHeaderProto& proto, std::string_view stat_prefix,
                                                 CompileScope& scope) {
  using envoy::config::core::v3::TlvEntry;
  scope.only(proto, {ProxyHeaderProto::kConfigFieldNumber, ProxyHeaderProto::kTransportSocketFieldNumber});
  scope.only(proto.config(), {HeaderConfig::kVersionFieldNumber, HeaderConfig::kAddedTlvsFieldNumber});
  net::ProxyHeader header;
  header.version = proto.config().version() == HeaderConfig::V2 ? net::ProxyVersion::kV2 : net::ProxyVersion::kV1;
  size_t bytes = 0;
  for (const TlvEntry& entry : proto.config().added_tlvs()) {
    scope.only(entry, {TlvEntry::kTypeFieldNumber, TlvEntry::kValueFieldNumber});
    header.tlvs.emplace_back(static_cast<uint8_t>(entry.type()), entry.value());
    bytes += 3 + entry.value().size();
  }
  constexpr size_t kMostTlvs = 65535 - 36;
  if (bytes > kMostTlvs) {
    scope.error(proto.config(), HeaderConfig::kAddedTlvsFieldNumber,
                cat("a PROXY header has room for ", kMostTlvs, " bytes of these, and they are ", bytes));
  }
  return std::make_shared<const net::ProxyHeaderPlan>(
      std::move(header), compile_upstream_socket(proto.transport_socket(), stat_prefix, scope));
}

net::TransportSocketPlanPtr compile_internal(const InternalProto& proto, std::string_view stat_prefix,
                                             CompileScope& scope) {
  using Kind = envoy::type::metadata::v3::MetadataKind;
  scope.only(proto, {InternalProto::kPassthroughMetadataFieldNumber, InternalProto::kTransportSocketFieldNumber});
  std::vector<net::MetadataSource> sources;
  for (const InternalProto::MetadataValueSource& source : proto.passthrough_metadata()) {
    switch (source.kind().kind_case()) {
      case Kind::kHost:
        sources.push_back({source.name(), net::MetadataSource::Of::kHost});
        break;
      case Kind::kCluster:
        sources.push_back({source.name(), net::MetadataSource::Of::kCluster});
        break;
      default:  // as in Envoy
        scope.error(source, InternalProto::MetadataValueSource::kKindFieldNumber,
                    "must be host or cluster: a connection has no other metadata");
    }
  }
  return std::make_shared<const net::InternalUpstreamPlan>(
      std::move(sources), compile_upstream_socket(proto.transport_socket(), stat_prefix, scope));
}

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
  if constexpr (std::is_same_v<Tls, TlsSecrets::Upstream>) {
    if (content->GetDescriptor() == ProxyHeaderProto::descriptor()) {
      return compile_proxy_header(static_cast<const ProxyHeaderProto&>(*content), stat_prefix, scope);
    }
    if (content->GetDescriptor() == InternalProto::descriptor()) {
      return compile_internal(static_cast<const InternalProto&>(*content), stat_prefix, scope);
    }
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
