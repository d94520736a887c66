#include "config/listener_compiler.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "config/access_log_compiler.h"
#include "config/content.h"
#include "config/core_compiler.h"
#include "config/filter_chain_compiler.h"
#include "config/metadata_compiler.h"
#include "config/socket_compiler.h"
#include "net/internal_address.h"

namespace sluice::config {
namespace {

using envoy::config::listener::v3::Listener;

// Each with its own options where it has some: they take the place of the listener's.
void compile_additional_addresses(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  using Additional = envoy::config::listener::v3::AdditionalAddress;
  for (const Additional& additional : proto.additional_addresses()) {
    scope.only(additional, {Additional::kAddressFieldNumber, Additional::kSocketOptionsFieldNumber,
                            Additional::kTcpKeepaliveFieldNumber});
    if (!additional.has_address()) {
      scope.error(additional, Additional::kAddressFieldNumber, "an additional address needs an address");
      continue;
    }
    model::AdditionalAddress one;
    one.socket = out.socket;
    if (additional.has_socket_options()) {
      one.socket.more = compile_socket_options(additional.socket_options().socket_options(), scope);
    }
    if (additional.has_tcp_keepalive()) one.socket.keepalive = compile_keepalive(additional.tcp_keepalive());
    if (auto address = compile_listen_address(additional.address(), one.socket, scope)) {
      one.address = std::move(*address);
      out.additional_addresses.push_back(std::move(one));
    }
  }
}

// It is reached by its name, and nothing that sockets are told makes sense for it.
void compile_internal(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  const std::pair<int, bool> of_sockets[] = {
      {Listener::kAddressFieldNumber, proto.has_address()},
      {Listener::kAdditionalAddressesFieldNumber, !proto.additional_addresses().empty()},
      {Listener::kSocketOptionsFieldNumber, !proto.socket_options().empty()},
      {Listener::kConnectionBalanceConfigFieldNumber, proto.has_connection_balance_config()},
      {Listener::kEnableMptcpFieldNumber, proto.enable_mptcp()},
      {Listener::kEnableReusePortFieldNumber, proto.has_enable_reuse_port()},
      {Listener::kFreebindFieldNumber, proto.has_freebind()},
      {Listener::kTcpBacklogSizeFieldNumber, proto.has_tcp_backlog_size()},
      {Listener::kTcpFastOpenQueueLengthFieldNumber, proto.has_tcp_fast_open_queue_length()},
      {Listener::kTransparentFieldNumber, proto.has_transparent()},
  };
  for (const auto& [field, is_set] : of_sockets) {
    if (is_set) scope.error(proto, field, "is not for an internal listener, which has no socket");
  }
  const auto address = net::internal_address(proto.name(), "");
  if (address) {
    out.address = *address;
  } else {
    scope.error(proto, Listener::kNameFieldNumber, address.error());
  }
}

void compile_socket(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  if (proto.has_internal_listener()) {
    compile_internal(proto, out, scope);
    return;
  }
  if (!proto.has_address()) {
    scope.error(proto, Listener::kAddressFieldNumber, "a listener needs an address");
    return;
  }
  if (auto address = compile_listen_address(proto.address(), out.socket, scope)) out.address = std::move(*address);
  out.socket.bind_to_port = proto.has_bind_to_port()                   ? proto.bind_to_port().value()
                            : proto.deprecated_v1().has_bind_to_port() ? proto.deprecated_v1().bind_to_port().value()
                                                                       : true;
  out.socket.reuse_port = !proto.has_enable_reuse_port() || proto.enable_reuse_port().value();
  out.socket.backlog = proto.tcp_backlog_size().value();
  out.socket.freebind = proto.freebind().value();
  out.socket.transparent = proto.transparent().value();
  out.socket.mptcp = proto.enable_mptcp();
  if (proto.has_tcp_fast_open_queue_length()) out.socket.fast_open_queue = proto.tcp_fast_open_queue_length().value();
  if (proto.has_tcp_keepalive()) out.socket.keepalive = compile_keepalive(proto.tcp_keepalive());
  out.socket.more = compile_socket_options(proto.socket_options(), scope);
  compile_additional_addresses(proto, out, scope);
  if (out.socket.mptcp && !out.address.is_ip()) {
    scope.error(proto, Listener::kEnableMptcpFieldNumber, "is for IP addresses");
  }
}

void compile_accepting(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  using Balance = Listener::ConnectionBalanceConfig;
  scope.only(proto.connection_balance_config(), {Balance::kExactBalanceFieldNumber});
  out.exact_balance = proto.connection_balance_config().has_exact_balance();
  if (proto.has_max_connections_to_accept_per_socket_event()) {
    out.accepts_per_event = proto.max_connections_to_accept_per_socket_event().value();
  }
  out.ignores_global_limit = proto.ignore_global_conn_limit();
  out.bypasses_overload = proto.bypass_overload_manager();
}

// Of everything but the filter chains.
model::Content frame_of(const Listener& proto) {
  Listener frame = proto;
  frame.clear_filter_chains();
  frame.clear_default_filter_chain();
  frame.clear_filter_chain_matcher();
  return content_of(frame);
}

model::TrafficDirection compile_direction(envoy::config::core::v3::TrafficDirection direction) {
  switch (direction) {
    case envoy::config::core::v3::INBOUND:
      return model::TrafficDirection::kInbound;
    case envoy::config::core::v3::OUTBOUND:
      return model::TrafficDirection::kOutbound;
    default:
      return model::TrafficDirection::kUnspecified;
  }
}

}  // namespace

model::ListenerPlanPtr compile_listener(const Listener& proto, CompileScope& scope) {
  // reuse_port was replaced by enable_reuse_port and is read by nobody any more, in Envoy neither.
  scope.only(proto, {Listener::kNameFieldNumber,
                     Listener::kAddressFieldNumber,
                     Listener::kStatPrefixFieldNumber,
                     Listener::kFilterChainsFieldNumber,
                     Listener::kDefaultFilterChainFieldNumber,
                     Listener::kPerConnectionBufferLimitBytesFieldNumber,
                     Listener::kMetadataFieldNumber,
                     Listener::kDeprecatedV1FieldNumber,
                     Listener::kListenerFiltersTimeoutFieldNumber,
                     Listener::kContinueOnListenerFiltersTimeoutFieldNumber,
                     Listener::kTrafficDirectionFieldNumber,
                     Listener::kReusePortFieldNumber,
                     Listener::kEnableReusePortFieldNumber,
                     Listener::kTcpBacklogSizeFieldNumber,
                     Listener::kFreebindFieldNumber,
                     Listener::kTransparentFieldNumber,
                     Listener::kTcpFastOpenQueueLengthFieldNumber,
                     Listener::kTcpKeepaliveFieldNumber,
                     Listener::kSocketOptionsFieldNumber,
                     Listener::kConnectionBalanceConfigFieldNumber,
                     Listener::kMaxConnectionsToAcceptPerSocketEventFieldNumber,
                     Listener::kBindToPortFieldNumber,
                     Listener::kEnableMptcpFieldNumber,
                     Listener::kIgnoreGlobalConnLimitFieldNumber,
                     Listener::kBypassOverloadManagerFieldNumber,
                     Listener::kDrainTypeFieldNumber,
                     Listener::kAdditionalAddressesFieldNumber,
                     Listener::kListenerFiltersFieldNumber,
                     Listener::kUseOriginalDstFieldNumber,
                     Listener::kAccessLogFieldNumber,
                     Listener::kFilterChainMatcherFieldNumber,
                     Listener::kInternalListenerFieldNumber,
                     Listener::kUdpListenerConfigFieldNumber});  // of UDP listeners, which are refused
  using Udp = envoy::config::listener::v3::UdpListenerConfig;
  if (proto.udp_listener_config().has_quic_options()) {
    scope.not_supported(proto.udp_listener_config(), Udp::kQuicOptionsFieldNumber);
  }
  auto out = std::make_shared<model::ListenerPlan>();
  compile_socket(proto, *out, scope);
  const std::string address = out->address.to_string();
  out->name = proto.name().empty() ? address : proto.name();
  out->anonymous = proto.name().empty();
  const std::string prefix = proto.has_internal_listener() ? cat("envoy_internal_", proto.name()) : address;
  out->stat_prefix = proto.stat_prefix().empty() ? prefix : proto.stat_prefix();
  std::replace(out->stat_prefix.begin(), out->stat_prefix.end(), ':', '_');
  if (proto.has_per_connection_buffer_limit_bytes())
    out->buffer_limit = proto.per_connection_buffer_limit_bytes().value();
  out->direction = compile_direction(proto.traffic_direction());
  out->drain_type =
      proto.drain_type() == Listener::MODIFY_ONLY ? model::DrainType::kModifyOnly : model::DrainType::kDefault;
  compile_accepting(proto, *out, scope);
  compile_filter_chains(proto, *out, scope);
  compile_listener_filters(proto, *out, scope);
  out->metadata = compile_metadata(proto.metadata());
  out->hand_over = proto.use_original_dst().value();
  out->access_logs = compile_access_logs(proto.access_log(), scope);
  out->connection_limit =
      scope.runtime.live_number(UINT64_MAX, cat("envoy.resource_limits.listener.", out->name, ".connection_limit"));
  out->origin = scope.origin(proto);
  out->content = content_of(proto);
  out->frame_content = frame_of(proto);
  return out;
}

}  // namespace sluice::config
