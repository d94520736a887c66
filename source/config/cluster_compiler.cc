#include "config/cluster_compiler.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "config/config_source_compiler.h"
#include "config/dns_compiler.h"
#include "config/endpoint_compiler.h"
#include "config/filter_compiler.h"
#include "config/forward_policies.h"
#include "config/hash_policy_compiler.h"
#include "config/health_compiler.h"
#include "config/http_options_compiler.h"
#include "config/lb_compiler.h"
#include "config/metadata_compiler.h"
#include "config/socket_compiler.h"
#include "config/tls_compiler.h"
#include "envoy/extensions/clusters/aggregate/v3/cluster.pb.h"
#include "envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.pb.h"
#include "envoy/extensions/upstreams/http/generic/v3/generic_connection_pool.pb.h"
#include "envoy/extensions/upstreams/http/http/v3/http_connection_pool.pb.h"
#include "envoy/extensions/upstreams/http/tcp/v3/tcp_connection_pool.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "envoy/extensions/upstreams/tcp/v3/tcp_protocol_options.pb.h"
#include "model/request_policies.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using envoy::config::cluster::v3::CircuitBreakers;
using envoy::config::cluster::v3::Cluster;
using ForwardCluster = envoy::extensions::clusters::dynamic_forward_proxy::v3::ClusterConfig;
using HttpOptions = envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
using TcpOptions = envoy::extensions::upstreams::tcp::v3::TcpProtocolOptions;

constexpr uint32_t kMaxResponseHeadBytes = 80 * 1024;

void compile_budget(const CircuitBreakers::Thresholds::RetryBudget& proto, model::BreakerLimits& out,
                    CompileScope& scope) {
  using B = CircuitBreakers::Thresholds::RetryBudget;
  scope.only(proto, {B::kBudgetPercentFieldNumber, B::kMinRetryConcurrencyFieldNumber, B::kBudgetIntervalFieldNumber});
  out.has_retry_budget = true;
  if (proto.has_budget_percent()) out.retry_budget_percent = proto.budget_percent().value();
  if (proto.has_min_retry_concurrency()) out.min_retry_concurrency = proto.min_retry_concurrency().value();
  if (proto.has_budget_interval()) out.budget_interval = to_duration(proto.budget_interval());
}

// The first entry of a priority counts.
void compile_breakers(const CircuitBreakers& proto, model::ClusterPlan& out, CompileScope& scope) {
  using T = CircuitBreakers::Thresholds;
  scope.only(proto, {CircuitBreakers::kThresholdsFieldNumber, CircuitBreakers::kPerHostThresholdsFieldNumber});
  std::array<bool, 2> seen{};
  for (const T& threshold : proto.thresholds()) {
    scope.only(threshold, {T::kPriorityFieldNumber, T::kMaxConnectionsFieldNumber, T::kMaxPendingRequestsFieldNumber,
                           T::kMaxRequestsFieldNumber, T::kMaxRetriesFieldNumber, T::kRetryBudgetFieldNumber,
                           T::kTrackRemainingFieldNumber, T::kMaxConnectionPoolsFieldNumber});
    const size_t priority = threshold.priority() == core::HIGH ? 1 : 0;
    if (std::exchange(seen[priority], true)) continue;
    model::BreakerLimits& limits = out.breakers.edit()[priority];
    if (threshold.has_max_connections()) limits.max_connections = threshold.max_connections().value();
    if (threshold.has_max_pending_requests()) limits.max_pending_requests = threshold.max_pending_requests().value();
    if (threshold.has_max_requests()) limits.max_requests = threshold.max_requests().value();
    if (threshold.has_max_retries()) limits.max_retries = threshold.max_retries().value();
    if (threshold.has_max_connection_pools()) limits.max_connection_pools = threshold.max_connection_pools().value();
    limits.track_remaining = threshold.track_remaining();
    if (threshold.has_retry_budget()) compile_budget(threshold.retry_budget(), limits, scope);
  }
  // Of these only max_connections counts, of the default priority; Envoy says so too.
  for (const T& threshold : proto.per_host_thresholds()) {
    scope.only(threshold, {T::kPriorityFieldNumber, T::kMaxConnectionsFieldNumber});
    if (threshold.priority() == core::DEFAULT && threshold.has_max_connections()) {
      out.max_connections_per_host = threshold.max_connections().value();
    }
  }
}

void take(const CommonHttpOptions& common, model::ClusterPlan& out) {
  out.idle_timeout = common.idle_timeout;
  out.max_connection_duration = common.max_connection_duration;
  out.max_stream_duration = common.max_stream_duration;
  if (common.max_requests_per_connection != 0) out.max_requests_per_connection = common.max_requests_per_connection;
}

// explicit_http_config, use_downstream_protocol_config and auto_config name their options alike.
template <typename Config>
void compile_both(const Config& proto, model::ClusterPlan& out, CompileScope& scope) {
  scope.only(proto, {Config::kHttpProtocolOptionsFieldNumber, Config::kHttp2ProtocolOptionsFieldNumber});
  compile_http1_options(proto.http_protocol_options(), Side::kUpstream, out.codec, scope);
  compile_http2_options(proto.http2_protocol_options(), Side::kUpstream, out.http2.edit(), scope);
}

// What is set here counts for all requests to the cluster, whatever their routes say.
std::shared_ptr<const model::RequestPolicies> compile_policies(const HttpOptions& proto, CompileScope& scope) {
  if (!proto.has_retry_policy() && proto.request_mirror_policies().empty() && proto.hash_policy().empty()) {
    return nullptr;
  }
  auto out = std::make_shared<model::RequestPolicies>();
  if (proto.has_retry_policy()) out->retry = compile_retry_policy(proto.retry_policy(), scope);
  RouteContext context;
  context.validate_clusters = false;
  if (!proto.request_mirror_policies().empty()) {
    out->mirrors = compile_mirrors(proto.request_mirror_policies(), context, scope);
  }
  out->hashes = compile_hash_policies(proto.hash_policy(), scope);
  return out;
}

void compile_names(const envoy::config::core::v3::UpstreamHttpProtocolOptions& proto, model::ClusterPlan& out) {
  out.auto_sni = proto.auto_sni();
  out.auto_san_validation = proto.auto_san_validation();
  if (!proto.override_auto_sni_header().empty()) out.auto_sni_header.edit() = proto.override_auto_sni_header();
}

void compile_http_options(const HttpOptions& proto, model::ClusterPlan& out, CompileScope& scope) {
  scope.only(proto, {HttpOptions::kCommonHttpProtocolOptionsFieldNumber, HttpOptions::kExplicitHttpConfigFieldNumber,
                     HttpOptions::kUseDownstreamProtocolConfigFieldNumber, HttpOptions::kAutoConfigFieldNumber,
                     HttpOptions::kUpstreamHttpProtocolOptionsFieldNumber, HttpOptions::kHttpFiltersFieldNumber,
                     HttpOptions::kRequestMirrorPoliciesFieldNumber, HttpOptions::kHashPolicyFieldNumber,
                     HttpOptions::kRetryPolicyFieldNumber, HttpOptions::kOutlierDetectionFieldNumber});
  out.policies = compile_policies(proto, scope);
  out.http_filters = compile_upstream_filters(proto.http_filters(), scope);
  compile_names(proto.upstream_http_protocol_options(), out);
  CommonHttpOptions common;
  compile_common_http_options(proto.common_http_protocol_options(), Side::kUpstream, common, out.codec, scope);
  take(common, out);
  switch (proto.upstream_protocol_options_case()) {
    case HttpOptions::kExplicitHttpConfig:
      compile_both(proto.explicit_http_config(), out, scope);
      if (proto.explicit_http_config().has_http2_protocol_options()) out.protocol = model::UpstreamProtocol::kHttp2;
      break;
    case HttpOptions::kUseDownstreamProtocolConfig:
      compile_both(proto.use_downstream_protocol_config(), out, scope);
      out.protocol = model::UpstreamProtocol::kDownstream;
      break;
    case HttpOptions::kAutoConfig:
      compile_both(proto.auto_config(), out, scope);
      out.protocol = model::UpstreamProtocol::kAuto;
      break;
    case HttpOptions::UPSTREAM_PROTOCOL_OPTIONS_NOT_SET:
      break;
  }
}

// Deprecated, but still honoured when the typed options are absent.
void compile_old_http_options(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  if (proto.has_common_http_protocol_options()) {
    CommonHttpOptions common;
    compile_common_http_options(proto.common_http_protocol_options(), Side::kUpstream, common, out.codec, scope);
    take(common, out);
  }
  compile_names(proto.upstream_http_protocol_options(), out);
  if (proto.has_http_protocol_options()) {
    compile_http1_options(proto.http_protocol_options(), Side::kUpstream, out.codec, scope);
  }
  if (proto.has_http2_protocol_options()) {
    compile_http2_options(proto.http2_protocol_options(), Side::kUpstream, out.http2.edit(), scope);
    out.protocol = model::UpstreamProtocol::kHttp2;
  }
  if (proto.protocol_selection() == Cluster::USE_DOWNSTREAM_PROTOCOL) {
    out.protocol = model::UpstreamProtocol::kDownstream;
  }
}

void compile_protocol_options(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  if (proto.has_max_requests_per_connection()) {
    out.max_requests_per_connection = proto.max_requests_per_connection().value();
  }
  bool typed = false;
  for (const auto& [name, any] : proto.typed_extension_protocol_options()) {
    if (name != HttpOptions::descriptor()->full_name() && name != TcpOptions::descriptor()->full_name()) {
      scope.error(any,
                  cat("not supported yet: '", name, "'; for HTTP the key is ", HttpOptions::descriptor()->full_name(),
                      ", for TCP ", TcpOptions::descriptor()->full_name()));
      continue;
    }
    const google::protobuf::Message* content = scope.unpack(any);
    if (content == nullptr) continue;
    if (content->GetDescriptor()->full_name() != name) {
      scope.error(any, cat(content->GetDescriptor()->full_name(), " under the key of another type"));
    } else if (content->GetDescriptor() == HttpOptions::descriptor()) {
      typed = true;
      compile_http_options(static_cast<const HttpOptions&>(*content), out, scope);
    } else {
      // idle_timeout: of connections that wait for a client, which there are none of here.
      scope.only(static_cast<const TcpOptions&>(*content), {TcpOptions::kIdleTimeoutFieldNumber});
    }
  }
  if (!typed) compile_old_http_options(proto, out, scope);
}

// Names come with requests, and so do the names that certificates must be for: without auto_sni and auto_san_validation
// a client would choose whom the proxy trusts.
void compile_forward(const ForwardCluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  using F = ForwardCluster;
  scope.only(proto, {F::kDnsCacheConfigFieldNumber, F::kAllowInsecureClusterOptionsFieldNumber});
  out.discovery = model::Discovery::kForward;
  if (!proto.has_dns_cache_config()) {
    scope.error(proto, "needs a dns_cache_config");
    return;
  }
  out.forward = compile_dns_cache(proto.dns_cache_config(), scope);
}

// After the protocol options.
void check_forward(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  if (proto.typed_extension_protocol_options().empty()) {
    out.auto_sni = true;
    out.auto_san_validation = true;
    return;
  }
  const auto* kind = scope.unpack_to<ForwardCluster>(proto.cluster_type().typed_config());
  if (kind != nullptr && !kind->allow_insecure_cluster_options() && !(out.auto_sni && out.auto_san_validation)) {
    scope.error(proto, Cluster::kTypedExtensionProtocolOptionsFieldNumber,
                "a dynamic forward proxy needs auto_sni and auto_san_validation, or allow_insecure_cluster_options");
  }
}

void compile_custom_kind(const Cluster::CustomClusterType& proto, model::ClusterPlan& out, CompileScope& scope) {
  using DnsCluster = envoy::extensions::clusters::dns::v3::DnsCluster;
  using AggregateCluster = envoy::extensions::clusters::aggregate::v3::ClusterConfig;
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return;
  // Members that do not exist, yet or at all, have no hosts.
  if (content->GetDescriptor() == AggregateCluster::descriptor()) {
    const auto& names = static_cast<const AggregateCluster&>(*content).clusters();
    out.discovery = model::Discovery::kAggregate;
    out.members.edit().assign(names.begin(), names.end());
    return;
  }
  if (content->GetDescriptor() == ForwardCluster::descriptor()) {
    compile_forward(static_cast<const ForwardCluster&>(*content), out, scope);
    return;
  }
  if (content->GetDescriptor() != DnsCluster::descriptor()) {
    scope.error(proto.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
    return;
  }
  const auto& dns = static_cast<const DnsCluster&>(*content);
  out.discovery = dns.all_addresses_in_single_endpoint() ? model::Discovery::kLogicalDns : model::Discovery::kStrictDns;
  compile_dns(dns, out, scope);
}

// A load_assignment beside it says nothing.
void compile_eds(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  using E = Cluster::EdsClusterConfig;
  const E& eds = proto.eds_cluster_config();
  scope.only(eds, {E::kEdsConfigFieldNumber, E::kServiceNameFieldNumber});
  out.discovery = model::Discovery::kEds;
  model::EdsPlan& plan = out.eds.edit();
  plan.service_name = eds.service_name().empty() ? proto.name() : eds.service_name();
  if (!eds.has_eds_config()) {
    scope.error(proto, Cluster::kEdsClusterConfigFieldNumber, "an EDS cluster needs an eds_config");
  } else if (const auto source = compile_config_source(eds.eds_config(), scope)) {
    plan.source = *source;
  }
}

void compile_original_dst(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  using O = Cluster::OriginalDstLbConfig;
  const O& lb = proto.original_dst_lb_config();
  scope.only(lb, {O::kUseHttpHeaderFieldNumber, O::kHttpHeaderNameFieldNumber, O::kUpstreamPortOverrideFieldNumber,
                  O::kMetadataKeyFieldNumber});
  out.discovery = model::Discovery::kOriginalDst;
  if (proto.lb_policy() != Cluster::CLUSTER_PROVIDED) {
    scope.error(proto, Cluster::kLbPolicyFieldNumber, "a cluster of the type ORIGINAL_DST needs CLUSTER_PROVIDED");
  }
  if (proto.has_load_assignment()) {
    scope.error(proto, Cluster::kLoadAssignmentFieldNumber, "a cluster of the type ORIGINAL_DST has no endpoints");
  }
  // Its hosts are a worker's, and are made while requests wait for them.
  if (!proto.health_checks().empty()) scope.not_supported(proto, Cluster::kHealthChecksFieldNumber);
  if (proto.has_outlier_detection()) scope.not_supported(proto, Cluster::kOutlierDetectionFieldNumber);
  auto plan = std::make_shared<model::OriginalDstPlan>();
  if (lb.use_http_header()) {
    plan->header = lb.http_header_name().empty() ? "x-envoy-original-dst-host" : to_lower(lb.http_header_name());
  } else if (!lb.http_header_name().empty()) {
    scope.error(lb, O::kHttpHeaderNameFieldNumber, "needs use_http_header");
  }
  if (lb.has_metadata_key()) {
    plan->metadata_space = lb.metadata_key().key();
    for (const auto& part : lb.metadata_key().path()) plan->metadata_path.push_back(part.key());
  }
  if (lb.has_upstream_port_override()) plan->port = static_cast<uint16_t>(lb.upstream_port_override().value());
  if (proto.has_cleanup_interval()) plan->cleanup_interval = to_duration(proto.cleanup_interval());
  out.original_dst = std::move(plan);
}

// Without a typed_config these names stand for types of the enum: the one place where Envoy goes by a name.
std::optional<Cluster::DiscoveryType> kind_by_name(const Cluster::CustomClusterType& proto) {
  constexpr std::pair<std::string_view, Cluster::DiscoveryType> kNames[] = {
      {"envoy.cluster.static", Cluster::STATIC},
      {"envoy.cluster.strict_dns", Cluster::STRICT_DNS},
      {"envoy.cluster.logical_dns", Cluster::LOGICAL_DNS}};
  for (const auto& [name, kind] : kNames) {
    if (!proto.has_typed_config() && proto.name() == name) return kind;
  }
  return std::nullopt;
}

// DNS options say nothing about a cluster that asks no DNS.
void compile_kind(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  const auto named = proto.has_cluster_type() ? kind_by_name(proto.cluster_type()) : proto.type();
  if (!named) {
    compile_custom_kind(proto.cluster_type(), out, scope);
    return;
  }
  switch (*named) {
    case Cluster::STATIC:
      break;
    case Cluster::STRICT_DNS:
    case Cluster::LOGICAL_DNS:
      out.discovery = *named == Cluster::STRICT_DNS ? model::Discovery::kStrictDns : model::Discovery::kLogicalDns;
      compile_dns(proto, out, scope);
      break;
    case Cluster::EDS:
      compile_eds(proto, out, scope);
      break;
    case Cluster::ORIGINAL_DST:
      compile_original_dst(proto, out, scope);
      break;
    default:
      scope.error(proto, Cluster::kTypeFieldNumber,
                  cat("not supported yet: type ", Cluster::DiscoveryType_Name(*named)));
  }
}

void compile_form(const core::TypedExtensionConfig& proto, model::ClusterPlan& out, CompileScope& scope) {
  namespace upstreams = envoy::extensions::upstreams::http;
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return;
  const auto* type = content->GetDescriptor();
  if (type == upstreams::http::v3::HttpConnectionPoolProto::descriptor()) {
    out.form = model::UpstreamForm::kHttp;
  } else if (type == upstreams::tcp::v3::TcpConnectionPoolProto::descriptor()) {
    out.form = model::UpstreamForm::kTcp;
  } else if (type != upstreams::generic::v3::GenericConnectionPoolProto::descriptor()) {
    scope.error(proto.typed_config(), cat("not supported yet: ", type->full_name(), " as an upstream"));
  }
}

void compile_preconnect(const Cluster::PreconnectPolicy& proto, model::ClusterPlan& out, CompileScope& scope) {
  using P = Cluster::PreconnectPolicy;
  scope.only(proto, {P::kPerUpstreamPreconnectRatioFieldNumber, P::kPredictivePreconnectRatioFieldNumber});
  if (proto.has_per_upstream_preconnect_ratio()) {
    out.preconnect_ratio = proto.per_upstream_preconnect_ratio().value();
  }
  if (proto.has_predictive_preconnect_ratio()) {
    out.lb.preconnect_ratio = proto.predictive_preconnect_ratio().value();
  }
}

void compile_tracking(const envoy::config::cluster::v3::TrackClusterStats& proto, model::ClusterPlan& out,
                      CompileScope& scope) {
  using T = envoy::config::cluster::v3::TrackClusterStats;
  scope.only(proto,
             {T::kTimeoutBudgetsFieldNumber, T::kRequestResponseSizesFieldNumber, T::kPerEndpointStatsFieldNumber});
  out.track_budgets = proto.timeout_budgets();
  out.track_sizes = proto.request_response_sizes();
  out.track_endpoints = proto.per_endpoint_stats();
}

// LOGICAL_DNS: one name, one host.
void check_logical(const Cluster& proto, const model::ClusterPlan& plan, CompileScope& scope) {
  const auto& localities = plan.assignment->localities;
  if (localities.size() == 1 && localities[0].endpoints.size() == 1 && plan.dns->names.size() == 1) return;
  scope.error(proto, Cluster::kLoadAssignmentFieldNumber,
              "a LOGICAL_DNS cluster needs exactly one locality with exactly one endpoint, which is a name");
}

}  // namespace

model::ClusterPlanPtr compile_cluster(const Cluster& proto, CompileScope& scope) {
  scope.only(proto, {Cluster::kNameFieldNumber,
                     Cluster::kAltStatNameFieldNumber,
                     Cluster::kTypeFieldNumber,
                     Cluster::kClusterTypeFieldNumber,
                     Cluster::kConnectTimeoutFieldNumber,
                     Cluster::kPerConnectionBufferLimitBytesFieldNumber,
                     Cluster::kLbPolicyFieldNumber,
                     Cluster::kLoadAssignmentFieldNumber,
                     Cluster::kMaxRequestsPerConnectionFieldNumber,
                     Cluster::kCircuitBreakersFieldNumber,
                     Cluster::kCommonHttpProtocolOptionsFieldNumber,
                     Cluster::kHttpProtocolOptionsFieldNumber,
                     Cluster::kHttp2ProtocolOptionsFieldNumber,
                     Cluster::kTypedExtensionProtocolOptionsFieldNumber,
                     Cluster::kDnsLookupFamilyFieldNumber,
                     Cluster::kDnsRefreshRateFieldNumber,
                     Cluster::kDnsJitterFieldNumber,
                     Cluster::kDnsFailureRefreshRateFieldNumber,
                     Cluster::kRespectDnsTtlFieldNumber,
                     Cluster::kDnsResolversFieldNumber,
                     Cluster::kUseTcpForDnsLookupsFieldNumber,
                     Cluster::kDnsResolutionConfigFieldNumber,
                     Cluster::kTypedDnsResolverConfigFieldNumber,
                     Cluster::kWaitForWarmOnInitFieldNumber,
                     Cluster::kUpstreamBindConfigFieldNumber,
                     Cluster::kUpstreamConnectionOptionsFieldNumber,
                     Cluster::kEdsClusterConfigFieldNumber,
                     Cluster::kMetadataFieldNumber,
                     Cluster::kRingHashLbConfigFieldNumber,
                     Cluster::kMaglevLbConfigFieldNumber,
                     Cluster::kLeastRequestLbConfigFieldNumber,
                     Cluster::kRoundRobinLbConfigFieldNumber,
                     Cluster::kCommonLbConfigFieldNumber,
                     Cluster::kLoadBalancingPolicyFieldNumber,
                     Cluster::kTransportSocketFieldNumber,
                     Cluster::kTransportSocketMatchesFieldNumber,
                     Cluster::kOutlierDetectionFieldNumber,
                     Cluster::kHealthChecksFieldNumber,
                     Cluster::kLbSubsetConfigFieldNumber,
                     Cluster::kIgnoreHealthOnHostRemovalFieldNumber,
                     Cluster::kOriginalDstLbConfigFieldNumber,  // of other types it says nothing, as in Envoy
                     Cluster::kUpstreamHttpProtocolOptionsFieldNumber,
                     Cluster::kCleanupIntervalFieldNumber,
                     Cluster::kCloseConnectionsOnHostHealthFailureFieldNumber,
                     Cluster::kPreconnectPolicyFieldNumber,
                     Cluster::kProtocolSelectionFieldNumber,
                     Cluster::kTrackTimeoutBudgetsFieldNumber,
                     Cluster::kConnectionPoolPerDownstreamConnectionFieldNumber,
                     Cluster::kTrackClusterStatsFieldNumber,
                     Cluster::kUpstreamConfigFieldNumber,
                     Cluster::kLrsServerFieldNumber});  // which Envoy does not read either
  auto out = std::make_shared<model::ClusterPlan>();
  compile_kind(proto, *out, scope);
  out->name = proto.name();
  if (!proto.alt_stat_name().empty()) out->alt_stat_name.edit() = proto.alt_stat_name();
  if (proto.has_connect_timeout()) out->connect_timeout = to_duration(proto.connect_timeout());
  if (proto.has_per_connection_buffer_limit_bytes())
    out->buffer_limit = proto.per_connection_buffer_limit_bytes().value();
  out->codec.max_head_bytes = kMaxResponseHeadBytes;
  compile_protocol_options(proto, *out, scope);
  if (out->discovery == model::Discovery::kForward) check_forward(proto, *out, scope);
  out->connect = compile_connect_options(proto, scope);
  compile_breakers(proto.circuit_breakers(), *out, scope);
  out->lb = compile_lb(proto, scope);
  if (out->discovery == model::Discovery::kStatic) out->lb.ignore_unchecked = false;  // none of them is ever new
  out->outlier = compile_outlier(proto, scope);
  out->health_checks = compile_health_checks(proto, scope);
  out->metadata = compile_metadata(proto.metadata());
  for (const auto& check : *out->health_checks) {
    if (check->grpc && out->protocol != model::UpstreamProtocol::kHttp2) {
      scope.error(proto, Cluster::kHealthChecksFieldNumber, "a gRPC check needs a cluster that speaks HTTP/2");
    }
  }
  out->ignore_health_on_removal = proto.ignore_health_on_host_removal();
  out->drain_on_change = proto.common_lb_config().close_connections_on_host_set_change();
  out->close_on_failure = proto.close_connections_on_host_health_failure();
  out->pool_per_downstream = proto.connection_pool_per_downstream_connection();
  compile_preconnect(proto.preconnect_policy(), *out, scope);
  compile_tracking(proto.track_cluster_stats(), *out, scope);
  if (proto.has_upstream_config()) compile_form(proto.upstream_config(), *out, scope);
  out->track_budgets |= proto.track_timeout_budgets();
  const Names names = out->discovery == model::Discovery::kStatic ? Names::kRefused : Names::kAllowed;
  const std::string stat_prefix = out->stat_prefix();
  if (proto.has_transport_socket()) {
    out->transport_socket = compile_upstream_socket(proto.transport_socket(), stat_prefix, scope);
  }
  for (const auto& match : proto.transport_socket_matches()) {
    out->socket_matches.edit().push_back(
        {match.name(), compile_upstream_socket(match.transport_socket(), stat_prefix, scope)});
  }
  if (out->protocol == model::UpstreamProtocol::kAuto && out->transport_socket == nullptr) {
    scope.error(proto, Cluster::kTypedExtensionProtocolOptionsFieldNumber,
                "auto_config chooses the protocol by ALPN: it needs a transport_socket that has it");
  }
  scope.socket_matches = &proto.transport_socket_matches();
  std::vector<model::DnsName> asked;
  out->assignment = compile_assignment(proto.load_assignment(), names, Repeated::kKept, asked, scope);
  if (!asked.empty()) out->dns.edit().names = std::move(asked);
  scope.socket_matches = nullptr;
  if (proto.has_eds_cluster_config() && out->discovery != model::Discovery::kEds) {
    scope.error(proto, Cluster::kEdsClusterConfigFieldNumber, "belongs to clusters of the type EDS");
  }
  if (out->discovery == model::Discovery::kLogicalDns) check_logical(proto, *out, scope);
  if (proto.has_wait_for_warm_on_init()) out->wait_for_warm_on_init = proto.wait_for_warm_on_init().value();
  out->origin = scope.origin(proto);
  return out;
}

}  // namespace sluice::config
