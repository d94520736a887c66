#include "config/bind_compiler.h"

#include "envoy/config/core/v3/address.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;

void compile(const core::BindConfig& proto, net::ConnectOptions& out, CompileScope& scope) {
  using B = core::BindConfig;
  scope.only(proto, {B::kSourceAddressFieldNumber, B::kFreebindFieldNumber});
  out.freebind = proto.freebind().value();
  if (!proto.has_source_address()) return;
  const auto ip = net::Address::from_ip(proto.source_address().address(),
                                        static_cast<uint16_t>(proto.source_address().port_value()));
  if (ip) {
    out.source = *ip;
  } else {
    scope.error(proto, B::kSourceAddressFieldNumber, ip.error());
  }
}

}  // namespace

net::ConnectOptions compile_bind(const envoy::config::bootstrap::v3::ClusterManager& proto, CompileScope& scope) {
  net::ConnectOptions out;
  if (proto.has_upstream_bind_config()) compile(proto.upstream_bind_config(), out, scope);
  return out;
}

net::ConnectOptions compile_connect_options(const envoy::config::cluster::v3::Cluster& proto, CompileScope& scope) {
  using U = envoy::config::cluster::v3::UpstreamConnectionOptions;
  net::ConnectOptions out = scope.connect;
  if (proto.has_upstream_bind_config()) {
    out = {};
    compile(proto.upstream_bind_config(), out, scope);
  }
  const U& options = proto.upstream_connection_options();
  scope.only(options, {U::kTcpKeepaliveFieldNumber});
  if (options.has_tcp_keepalive()) {
    const core::TcpKeepalive& keepalive = options.tcp_keepalive();
    out.keepalive = {keepalive.keepalive_probes().value(), keepalive.keepalive_time().value(),
                     keepalive.keepalive_interval().value()};
  }
  return out;
}

}  // namespace sluice::config
