#include "config/listener_compiler.h"

#include <algorithm>

#include "base/strings.h"
#include "config/any.h"
#include "config/core_compiler.h"
#include "config/tls_compiler.h"
#include "proxy/empty_chain.h"

namespace sluice::config {
namespace {

using envoy::config::listener::v3::Filter;
using envoy::config::listener::v3::FilterChain;
using envoy::config::listener::v3::FilterChainMatch;
using envoy::config::listener::v3::Listener;

std::shared_ptr<const model::NetworkFilterPlan> compile_filter(const Filter& proto, bool last, CompileScope& scope) {
  if (proto.has_config_discovery()) {
    scope.not_supported(proto, Filter::kConfigDiscoveryFieldNumber);
    return nullptr;
  }
  if (!proto.has_typed_config()) {
    scope.error(
        proto, cat("the filter '", proto.name(), "' needs a typed_config: filters are found by its type, not by name"));
    return nullptr;
  }
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return nullptr;
  const std::string& type_name = content->GetDescriptor()->full_name();
  const NetworkFilterType* type = scope.extensions().network_filter(type_name);
  if (type == nullptr) {
    const bool known = type_name.starts_with("envoy.extensions.filters.network.") || is_typed_struct(type_name);
    scope.error(proto.typed_config(),
                known ? cat("not supported yet: ", type_name) : cat(type_name, " is not a network filter"));
    return nullptr;
  }
  if (type->terminal != last) {
    scope.error(proto, last ? cat("'", proto.name(), "' cannot be the last filter: the last one must be terminal")
                            : cat("'", proto.name(), "' is terminal and must be the last filter"));
  }
  return type->compile(*content, scope);
}

model::FilterChainPlan compile_chain(const FilterChain& proto, std::string_view stat_prefix, CompileScope& scope) {
  scope.only(proto, {FilterChain::kFilterChainMatchFieldNumber, FilterChain::kFiltersFieldNumber,
                     FilterChain::kMetadataFieldNumber, FilterChain::kTransportSocketConnectTimeoutFieldNumber,
                     FilterChain::kTransportSocketFieldNumber, FilterChain::kNameFieldNumber});
  scope.only(proto.filter_chain_match(), {});
  model::FilterChainPlan out;
  out.name = proto.name();
  out.origin = scope.origin(proto);
  if (proto.has_transport_socket()) {
    out.transport_socket = compile_downstream_socket(proto.transport_socket(), cat("listener.", stat_prefix, "."), scope);
  }
  if (proto.has_transport_socket_connect_timeout()) {
    out.transport_socket_timeout = to_duration(proto.transport_socket_connect_timeout());
  }
  if (proto.filters().empty()) out.terminal = std::make_shared<const proxy::EmptyChain>();
  for (int i = 0; i < proto.filters_size(); ++i) {
    out.terminal = compile_filter(proto.filters(i), i + 1 == proto.filters_size(), scope);
  }
  return out;
}

bool matches_everything(const FilterChain& chain) { return chain.filter_chain_match().ByteSizeLong() == 0; }

void compile_chains(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  const FilterChain* first = nullptr;
  for (const FilterChain& chain : proto.filter_chains()) {
    out.chains.push_back(compile_chain(chain, out.stat_prefix, scope));
    if (!matches_everything(chain)) continue;
    if (first != nullptr) {
      scope.error(chain, cat("has the same filter_chain_match as the chain at line ", scope.map().at(*first).line,
                             ": no connection would reach it"));
    }
    if (first == nullptr) first = &chain;
  }
  if (proto.has_default_filter_chain()) {
    // Its own match is ignored; a chain that matches everything leaves nothing for it.
    auto last = compile_chain(proto.default_filter_chain(), out.stat_prefix, scope);
    if (out.chains.empty()) out.chains.push_back(std::move(last));
  }
  if (out.chains.empty()) scope.error(proto, Listener::kFilterChainsFieldNumber, "needs at least one filter chain");
}

void compile_socket(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  if (!proto.has_address()) {
    scope.error(proto, Listener::kAddressFieldNumber, "a listener needs an address");
    return;
  }
  if (auto address = compile_listen_address(proto.address(), out.socket, scope)) out.address = std::move(*address);
  out.socket.bind_to_port = proto.has_bind_to_port()                   ? proto.bind_to_port().value()
                            : proto.deprecated_v1().has_bind_to_port() ? proto.deprecated_v1().bind_to_port().value()
                                                                       : true;
  if (!out.socket.bind_to_port)
    scope.error(proto, Listener::kBindToPortFieldNumber, "not supported yet: bind_to_port false");
  out.socket.reuse_port = !proto.has_enable_reuse_port() || proto.enable_reuse_port().value();
  out.socket.backlog = proto.tcp_backlog_size().value();
}

model::TrafficDirection compile_direction(envoy::config::core::v3::TrafficDirection direction) {
  switch (direction) {
    case envoy::config::core::v3::INBOUND: return model::TrafficDirection::kInbound;
    case envoy::config::core::v3::OUTBOUND: return model::TrafficDirection::kOutbound;
    default: return model::TrafficDirection::kUnspecified;
  }
}

}  // namespace

model::ListenerPlanPtr compile_listener(const Listener& proto, CompileScope& scope) {
  // Without listener filters their time-outs say nothing, without an overload manager neither do its exceptions.
  // reuse_port was replaced by enable_reuse_port and is read by nobody any more, in Envoy neither.
  scope.only(proto, {Listener::kNameFieldNumber, Listener::kAddressFieldNumber, Listener::kStatPrefixFieldNumber,
                     Listener::kFilterChainsFieldNumber, Listener::kDefaultFilterChainFieldNumber,
                     Listener::kPerConnectionBufferLimitBytesFieldNumber, Listener::kMetadataFieldNumber,
                     Listener::kDeprecatedV1FieldNumber, Listener::kListenerFiltersTimeoutFieldNumber,
                     Listener::kContinueOnListenerFiltersTimeoutFieldNumber, Listener::kTrafficDirectionFieldNumber,
                     Listener::kReusePortFieldNumber, Listener::kEnableReusePortFieldNumber,
                     Listener::kTcpBacklogSizeFieldNumber, Listener::kBindToPortFieldNumber,
                     Listener::kIgnoreGlobalConnLimitFieldNumber, Listener::kBypassOverloadManagerFieldNumber,
                     Listener::kDrainTypeFieldNumber});
  auto out = std::make_shared<model::ListenerPlan>();
  compile_socket(proto, *out, scope);
  const std::string address = out->address.to_string();
  out->name = proto.name().empty() ? address : proto.name();
  out->stat_prefix = proto.stat_prefix().empty() ? address : proto.stat_prefix();
  std::replace(out->stat_prefix.begin(), out->stat_prefix.end(), ':', '_');
  if (proto.has_per_connection_buffer_limit_bytes())
    out->buffer_limit = proto.per_connection_buffer_limit_bytes().value();
  out->direction = compile_direction(proto.traffic_direction());
  out->drain_type = proto.drain_type() == Listener::MODIFY_ONLY ? model::DrainType::kModifyOnly : model::DrainType::kDefault;
  compile_chains(proto, *out, scope);
  out->origin = scope.origin(proto);
  return out;
}

}  // namespace sluice::config
