#include "config/socket_compiler.h"

#include "envoy/config/core/v3/address.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;

void compile(const core::BindConfig& proto, net::ConnectOptions& out, CompileScope& scope) {
  using B = core::BindConfig;
  scope.only(proto, {B::kSourceAddressFieldNumber, B::kFreebindFieldNumber, B::kSocketOptionsFieldNumber});
  out.freebind = proto.freebind().value();
  out.more = compile_socket_options(proto.socket_options(), scope);
  if (!proto.has_source_address()) return;
  const auto ip = net::Address::from_ip(proto.source_address().address(),
                                        static_cast<uint16_t>(proto.source_address().port_value()));
  if (ip) {
    out.source = *ip;
  } else {
    scope.error(proto, B::kSourceAddressFieldNumber, ip.error());
  }
}

net::SocketOption::When when_of(core::SocketOption::SocketState state) {
  using When = net::SocketOption::When;
  switch (state) {
    case core::SocketOption::STATE_BOUND:
      return When::kBound;
    case core::SocketOption::STATE_LISTENING:
      return When::kListening;
    default:
      return When::kPrebind;
  }
}

net::AddressKind kind_of(core::SocketOption::SocketIpVersion version) {
  switch (version) {
    case core::SocketOption::SOCKET_IP_VERSION_IPV4:
      return net::AddressKind::kIp4;
    case core::SocketOption::SOCKET_IP_VERSION_IPV6:
      return net::AddressKind::kIp6;
    default:
      return net::AddressKind::kNone;
  }
}

}  // namespace

Rare<net::ConnectOptions> compile_bind(const envoy::config::bootstrap::v3::ClusterManager& proto, CompileScope& scope) {
  Rare<net::ConnectOptions> out;
  if (proto.has_upstream_bind_config()) compile(proto.upstream_bind_config(), out.edit(), scope);
  return out;
}

Rare<net::ConnectOptions> compile_connect_options(const envoy::config::cluster::v3::Cluster& proto,
                                                  CompileScope& scope) {
  using U = envoy::config::cluster::v3::UpstreamConnectionOptions;
  Rare<net::ConnectOptions> out = scope.connect;
  if (proto.has_upstream_bind_config()) {
    out.clear();
    compile(proto.upstream_bind_config(), out.edit(), scope);
  }
  const U& options = proto.upstream_connection_options();
  scope.only(options, {U::kTcpKeepaliveFieldNumber});
  if (options.has_tcp_keepalive()) out.edit().keepalive = compile_keepalive(options.tcp_keepalive());
  return out;
}

net::Keepalive compile_keepalive(const core::TcpKeepalive& proto) {
  return {proto.keepalive_probes().value(), proto.keepalive_time().value(), proto.keepalive_interval().value()};
}

// As in Envoy a number is cut to an int.
net::SocketOptionsPtr compile_socket_options(const google::protobuf::RepeatedPtrField<core::SocketOption>& options,
                                             CompileScope& scope) {
  using S = core::SocketOption;
  auto out = std::make_shared<std::vector<net::SocketOption>>();
  for (const S& proto : options) {
    scope.only(proto, {S::kDescriptionFieldNumber, S::kLevelFieldNumber, S::kNameFieldNumber, S::kIntValueFieldNumber,
                       S::kBufValueFieldNumber, S::kStateFieldNumber, S::kTypeFieldNumber, S::kIpVersionFieldNumber});
    if (proto.has_type() && !proto.type().has_stream()) continue;
    net::SocketOption& one = out->emplace_back();
    one.level = static_cast<int>(proto.level());
    one.name = static_cast<int>(proto.name());
    one.when = when_of(proto.state());
    one.only = kind_of(proto.ip_version());
    if (proto.has_buf_value()) {
      one.value = proto.buf_value();
    } else {
      const int value = static_cast<int>(proto.int_value());
      one.value.assign(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }
  return out->empty() ? nullptr : out;
}

}  // namespace sluice::config
