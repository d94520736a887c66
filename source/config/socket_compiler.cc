#include "config/socket_compiler.h"

#include "envoy/config/core/v3/address.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;

net::Address compile_source(const core::BindConfig& proto, int field, const core::SocketAddress& source,
                            CompileScope& scope) {
  const auto ip = net::Address::from_ip(source.address(), static_cast<uint16_t>(source.port_value()));
  if (ip) return *ip;
  scope.error(proto, field, ip.error());
  return {};
}

// As in Envoy at most one, of the other IP version; additional_source_addresses is the older name of the same.
void compile_other_source(const core::BindConfig& proto, net::ConnectOptions& out, CompileScope& scope) {
  using B = core::BindConfig;
  const bool old = !proto.additional_source_addresses().empty();
  const int field = old ? B::kAdditionalSourceAddressesFieldNumber : B::kExtraSourceAddressesFieldNumber;
  const int count = proto.extra_source_addresses_size() + proto.additional_source_addresses_size();
  if (count == 0) return;
  if (count > 1) {
    scope.error(proto, field, "there can be one more source address only");
    return;
  }
  if (old) {
    out.other_source = compile_source(proto, field, proto.additional_source_addresses(0), scope);
  } else {
    const core::ExtraSourceAddress& extra = proto.extra_source_addresses(0);
    out.other_source = compile_source(proto, field, extra.address(), scope);
    if (extra.has_socket_options()) {
      // Also when there are none.
      out.other_more = compile_socket_options(extra.socket_options().socket_options(), scope);
      if (out.other_more == nullptr) out.other_more = std::make_shared<const std::vector<net::SocketOption>>();
    }
  }
  if (out.other_source.kind() == out.source.kind()) {
    scope.error(proto, field, "must be of the other IP version than source_address");
  }
}

void compile(const core::BindConfig& proto, net::ConnectOptions& out, CompileScope& scope) {
  using B = core::BindConfig;
  scope.only(proto, {B::kSourceAddressFieldNumber, B::kFreebindFieldNumber, B::kSocketOptionsFieldNumber,
                     B::kExtraSourceAddressesFieldNumber, B::kAdditionalSourceAddressesFieldNumber});
  out.freebind = proto.freebind().value();
  out.more = compile_socket_options(proto.socket_options(), scope);
  if (!proto.has_source_address()) {
    if (!proto.extra_source_addresses().empty() || !proto.additional_source_addresses().empty()) {
      scope.error(proto, B::kSourceAddressFieldNumber, "is needed where there are extra_source_addresses");
    }
    return;
  }
  out.source = compile_source(proto, B::kSourceAddressFieldNumber, proto.source_address(), scope);
  compile_other_source(proto, out, scope);
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

net::FamilyOrder compile_families(
    const envoy::config::cluster::v3::UpstreamConnectionOptions::HappyEyeballsConfig& proto, CompileScope& scope) {
  using U = envoy::config::cluster::v3::UpstreamConnectionOptions;
  using H = U::HappyEyeballsConfig;
  scope.only(proto, {H::kFirstAddressFamilyVersionFieldNumber, H::kFirstAddressFamilyCountFieldNumber});
  net::FamilyOrder out;
  if (proto.first_address_family_version() == U::V4) out.first = net::AddressKind::kIp4;
  if (proto.first_address_family_version() == U::V6) out.first = net::AddressKind::kIp6;
  if (proto.has_first_address_family_count()) out.count = proto.first_address_family_count().value();
  return out;
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
  // The name of a connection's interface is shown nowhere in Envoy either.
  scope.only(options, {U::kTcpKeepaliveFieldNumber, U::kSetLocalInterfaceNameOnUpstreamConnectionsFieldNumber,
                       U::kHappyEyeballsConfigFieldNumber});
  if (options.has_tcp_keepalive()) out.edit().keepalive = compile_keepalive(options.tcp_keepalive());
  if (options.has_happy_eyeballs_config()) {
    out.edit().families = compile_families(options.happy_eyeballs_config(), scope);
  }
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
