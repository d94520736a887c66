#include "filters/network/tcp_proxy/tcp_proxy_config.h"

#include "base/strings.h"
#include "config/access_log_compiler.h"
#include "config/compile_scope.h"
#include "config/format_compiler.h"
#include "config/header_compiler.h"
#include "config/subset_compiler.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h"
#include "envoy/extensions/request_id/uuid/v3/uuid.pb.h"
#include "filters/network/tcp_proxy/tcp_proxy.h"
#include "filters/network/tcp_proxy/tunnel.h"

namespace sluice::filters::tcp_proxy {
namespace {

using config::CompileScope;
using config::to_duration;
using Proto = envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;

void check_fields(const Proto& proto, CompileScope& scope) {
  scope.only(proto, {Proto::kStatPrefixFieldNumber, Proto::kClusterFieldNumber, Proto::kWeightedClustersFieldNumber,
                     Proto::kIdleTimeoutFieldNumber, Proto::kAccessLogFieldNumber,
                     Proto::kMaxConnectAttemptsFieldNumber, Proto::kBackoffOptionsFieldNumber,
                     Proto::kHashPolicyFieldNumber, Proto::kMaxDownstreamConnectionDurationFieldNumber,
                     Proto::kMaxDownstreamConnectionDurationJitterPercentageFieldNumber,
                     Proto::kAccessLogFlushIntervalFieldNumber, Proto::kFlushAccessLogOnConnectedFieldNumber,
                     Proto::kAccessLogOptionsFieldNumber, Proto::kUpstreamConnectModeFieldNumber,
                     Proto::kMaxEarlyDataBytesFieldNumber, Proto::kTunnelingConfigFieldNumber,
                     Proto::kMetadataMatchFieldNumber, Proto::kCheckDrainCloseFieldNumber});
}

void compile_clusters(const Proto& proto, Plan& out, CompileScope& scope) {
  if (proto.has_weighted_clusters()) {
    using Weight = Proto::WeightedCluster::ClusterWeight;
    for (const Weight& cluster : proto.weighted_clusters().clusters()) {
      scope.only(cluster, {Weight::kNameFieldNumber, Weight::kWeightFieldNumber, Weight::kMetadataMatchFieldNumber});
      out.clusters.push_back(
          {cluster.name(), cluster.weight(), config::compile_match(proto.metadata_match(), &cluster.metadata_match())});
    }
  } else {
    out.clusters.push_back({proto.cluster(), 1, config::compile_match(proto.metadata_match())});
  }
  for (const ClusterChoice& choice : out.clusters) out.total_weight += choice.weight;
}

void compile_log_options(const Proto& proto, Plan& out, CompileScope& scope) {
  using Options = Proto::TcpAccessLogOptions;
  const Options& options = proto.access_log_options();
  scope.only(options, {Options::kAccessLogFlushIntervalFieldNumber, Options::kFlushAccessLogOnConnectedFieldNumber,
                       Options::kFlushAccessLogOnStartFieldNumber});
  const bool old = proto.has_access_log_flush_interval() || proto.flush_access_log_on_connected();
  if (proto.has_access_log_options() && old) {
    scope.error(proto, Proto::kAccessLogOptionsFieldNumber,
                "cannot stand beside access_log_flush_interval or flush_access_log_on_connected");
  }
  if (proto.has_access_log_flush_interval()) out.log_interval = to_duration(proto.access_log_flush_interval());
  if (options.has_access_log_flush_interval()) out.log_interval = to_duration(options.access_log_flush_interval());
  out.log_on_connected = proto.flush_access_log_on_connected() || options.flush_access_log_on_connected();
  out.log_on_start = options.flush_access_log_on_start();
  out.access_logs = config::compile_access_logs(proto.access_log(), scope);
}

void compile_connecting(const Proto& proto, Plan& out, CompileScope& scope) {
  namespace v3 = envoy::extensions::filters::network::tcp_proxy::v3;
  if (proto.has_max_connect_attempts()) out.max_connect_attempts = proto.max_connect_attempts().value();
  if (proto.has_backoff_options()) {
    const auto& backoff = proto.backoff_options();
    out.backoff_base = to_duration(backoff.base_interval());
    out.backoff_max = backoff.has_max_interval() ? to_duration(backoff.max_interval()) : out.backoff_base * 10;
    if (to_ms(out.backoff_max) < to_ms(out.backoff_base))
      scope.error(backoff, "max_interval must not be below base_interval");
  }
  if (proto.has_max_early_data_bytes()) out.max_early_data = proto.max_early_data_bytes().value();
  switch (proto.upstream_connect_mode()) {
    case v3::ON_DOWNSTREAM_DATA:
      out.connect_on_data = true;
      if (!out.max_early_data) {
        scope.error(proto, Proto::kUpstreamConnectModeFieldNumber, "ON_DOWNSTREAM_DATA needs max_early_data_bytes");
      }
      break;
    case v3::ON_DOWNSTREAM_TLS_HANDSHAKE:
      scope.error(proto, Proto::kUpstreamConnectModeFieldNumber, "not supported yet: ON_DOWNSTREAM_TLS_HANDSHAKE");
      break;
    default:
      break;
  }
}

// Its options are about traces, of which a tunnel has none. Name and key say nothing without it.
void compile_id(const Proto::TunnelingConfig& proto, TunnelPlan& out, CompileScope& scope) {
  using Uuid = envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
  if (!proto.request_id_extension().has_typed_config()) return;
  const google::protobuf::Message* content = scope.unpack(proto.request_id_extension().typed_config());
  if (content == nullptr) return;
  if (content->GetDescriptor() != Uuid::descriptor()) {
    scope.error(proto.request_id_extension(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
    return;
  }
  out.id_header = proto.request_id_header().empty() ? "x-request-id" : to_lower(proto.request_id_header());
  out.id_key = proto.request_id_metadata_key().empty() ? "tunnel_request_id" : proto.request_id_metadata_key();
}

// Envoy takes the bytes of the tunnel's answer as they are; its own fields are seen by logs alone.
void compile_tunnel(const Proto& proto, Plan& out, CompileScope& scope) {
  if (!proto.has_tunneling_config()) return;
  using T = Proto::TunnelingConfig;
  const T& tunnel = proto.tunneling_config();
  scope.only(tunnel, {T::kHostnameFieldNumber, T::kUsePostFieldNumber, T::kHeadersToAddFieldNumber,
                      T::kPostPathFieldNumber, T::kFormattersFieldNumber, T::kPropagateResponseHeadersFieldNumber,
                      T::kPropagateResponseTrailersFieldNumber, T::kRequestIdExtensionFieldNumber,
                      T::kRequestIdHeaderFieldNumber, T::kRequestIdMetadataKeyFieldNumber});
  auto plan = std::make_shared<TunnelPlan>();
  format::ParseOptions options;
  config::compile_formatters(tunnel.formatters(), options, scope);
  plan->hostname = scope.formatter(tunnel, T::kHostnameFieldNumber, tunnel.hostname(), options);
  plan->post = tunnel.use_post();
  compile_id(tunnel, *plan, scope);
  plan->keep_headers = tunnel.propagate_response_headers();
  plan->keep_trailers = tunnel.propagate_response_trailers();
  if (plan->post) {
    plan->path = tunnel.post_path().empty() ? "/" : tunnel.post_path();
  } else if (!tunnel.post_path().empty()) {
    scope.error(tunnel, T::kPostPathFieldNumber, "is for use_post only");
  }
  const google::protobuf::RepeatedPtrField<std::string> none;
  plan->headers =
      config::compile_header_rules(tunnel, tunnel.headers_to_add(), none, T::kHeadersToAddFieldNumber, scope);
  out.tunnel = std::move(plan);
}

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  check_fields(proto, scope);
  auto out = std::make_shared<Plan>();
  out->stat_prefix = proto.stat_prefix();
  compile_clusters(proto, *out, scope);
  compile_connecting(proto, *out, scope);
  compile_tunnel(proto, *out, scope);
  compile_log_options(proto, *out, scope);
  if (proto.has_idle_timeout()) out->idle_timeout = to_duration(proto.idle_timeout());
  if (proto.has_max_downstream_connection_duration()) {
    out->max_duration = to_duration(proto.max_downstream_connection_duration());
  }
  out->check_drain = proto.check_drain_close().value();
  out->max_duration_jitter = proto.max_downstream_connection_duration_jitter_percentage().value();
  for (const auto& policy : proto.hash_policy()) {
    out->hash_source_ip = policy.has_source_ip();
    out->hash_filter_state = policy.filter_state().key();
  }
  out->origin = scope.origin(proto);
  return std::make_shared<const TcpProxy>(std::move(out));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", .compile = &compile, .terminal = true};
}

}  // namespace sluice::filters::tcp_proxy
