#include "config/bootstrap.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/log_format.h"
#include "base/strings.h"
#include "config/accepted_config.h"
#include "config/access_log_compiler.h"
#include "config/cluster_compiler.h"
#include "config/compile_scope.h"
#include "config/config_source_compiler.h"
#include "config/core_compiler.h"
#include "config/dns_compiler.h"
#include "config/document.h"
#include "config/listener_compiler.h"
#include "config/matcher_compiler.h"
#include "config/message_tree.h"
#include "config/metadata_compiler.h"
#include "config/overload_compiler.h"
#include "config/resources.h"
#include "config/socket_compiler.h"
#include "config/stats_compiler.h"
#include "config/tls_secrets.h"
#include "config/tracing_compiler.h"
#include "config/watchdog_compiler.h"
#include "envoy/extensions/bootstrap/internal_listener/v3/internal_listener.pb.h"
#include "envoy/extensions/regex_engines/v3/google_re2.pb.h"
#include "format/json_text.h"
#include "proxy/access_log/log_files.h"

namespace sluice::config {
namespace {

namespace v3 = envoy::config::bootstrap::v3;
using Resources = v3::Bootstrap::StaticResources;
using LogFormat = v3::Bootstrap::ApplicationLogConfig::LogFormat;

void check_fields(const v3::Bootstrap& proto, CompileScope& scope) {
  using B = v3::Bootstrap;
  // There is one socket interface, and Envoy too goes on with its own when a default_socket_interface is none of its.
  // Hints to Envoy's memory and statistics that change nothing one can see (only stats that an extension declares
  // evictable are ever evicted), and what only a control plane would be told. perf_tracing_file_path is for a library
  // that a released Envoy does not have in it either.
  scope.only(proto, {B::kNodeFieldNumber,
                     B::kStaticResourcesFieldNumber,
                     B::kStatsFlushIntervalFieldNumber,
                     B::kLayeredRuntimeFieldNumber,
                     B::kAdminFieldNumber,
                     B::kDeferredStatOptionsFieldNumber,
                     B::kMemoryAllocatorManagerFieldNumber,
                     B::kGrpcAsyncClientManagerConfigFieldNumber,
                     B::kNodeContextParamsFieldNumber,
                     B::kClusterManagerFieldNumber,
                     B::kStatsConfigFieldNumber,
                     B::kStatsFlushOnAdminFieldNumber,
                     B::kStatsEvictionIntervalFieldNumber,
                     B::kPerfTracingFilePathFieldNumber,
                     B::kTypedDnsResolverConfigFieldNumber,
                     B::kDnsResolutionConfigFieldNumber,
                     B::kUseTcpForDnsLookupsFieldNumber,
                     B::kDynamicResourcesFieldNumber,
                     B::kOverloadManagerFieldNumber,
                     B::kApplicationLogConfigFieldNumber,
                     B::kBootstrapExtensionsFieldNumber,
                     B::kDefaultSocketInterfaceFieldNumber,
                     B::kTracingFieldNumber,
                     B::kStatsSinksFieldNumber,
                     B::kWatchdogFieldNumber,
                     B::kWatchdogsFieldNumber,
                     B::kStatsServerVersionOverrideFieldNumber,
                     B::kFlagsPathFieldNumber,
                     B::kDefaultRegexEngineFieldNumber,
                     B::kInlineHeadersFieldNumber,
                     B::kEnableDispatcherStatsFieldNumber});
  scope.only(proto.static_resources(),
             {Resources::kListenersFieldNumber, Resources::kClustersFieldNumber, Resources::kSecretsFieldNumber});
}

void compile_layer(const v3::RuntimeLayer& layer, const std::string& service_cluster, CompileScope& scope) {
  using Layer = v3::RuntimeLayer;
  runtime::Layers& layers = scope.runtime.layers();
  switch (layer.layer_specifier_case()) {
    case Layer::kStaticLayer: {
      runtime::Values values;
      for (const std::string& key : RuntimeValues::read_layer(layer.static_layer(), values)) {
        scope.error(layer, Layer::kStaticLayerFieldNumber,
                    cat("the value of '", key, "' must be a text, a number, a boolean or a map"));
      }
      layers.add_static(layer.name(), std::move(values));
      return;
    }
    case Layer::kDiskLayer: {
      std::string folder = layer.disk_layer().subdirectory();
      if (layer.disk_layer().append_service_cluster()) append(folder, "/", service_cluster);
      if (layer.disk_layer().symlink_root().find('/') == std::string::npos) {
        scope.error(layer, Layer::kDiskLayerFieldNumber,
                    "needs a symlink_root: a path with the folder in which the link stands, which is watched");
      }
      layers.add_disk(layer.name(), layer.disk_layer().symlink_root(), std::move(folder));
      return;
    }
    case Layer::kAdminLayer:
      layers.add_admin(layer.name());
      return;
    case Layer::kRtdsLayer:
      layers.add_discovered(layer.name());
      return;
    case Layer::LAYER_SPECIFIER_NOT_SET:
      return;  // validation told
  }
}

void compile_runtime(const v3::LayeredRuntime& proto, const std::string& service_cluster, event::Files* files,
                     CompileScope& scope) {
  using Layer = v3::RuntimeLayer;
  std::set<std::string> names;
  bool admin = false;
  for (const Layer& layer : proto.layers()) {
    if (!names.insert(layer.name()).second) {
      scope.error(layer, Layer::kNameFieldNumber, cat("there are two layers named '", layer.name(), "'"));
    }
    if (layer.has_admin_layer() && std::exchange(admin, true)) {
      scope.error(layer, Layer::kAdminLayerFieldNumber, "there can be one admin layer only");
    }
    compile_layer(layer, service_cluster, scope);
  }
  scope.runtime.layers().load(files);
}

NodePlan compile_node(const envoy::config::core::v3::Node& proto, const BootstrapOptions& options) {
  const auto either = [](const std::string& flag, const std::string& file) { return flag.empty() ? file : flag; };
  NodePlan out;
  out.id = either(options.service_node, proto.id());
  out.cluster = either(options.service_cluster, proto.cluster());
  out.region = proto.locality().region();
  out.zone = either(options.service_zone, proto.locality().zone());
  out.sub_zone = proto.locality().sub_zone();
  return out;
}

// The node of the bootstrap as it stands, and who we are. Its features: none that a client must announce.
std::string compile_xds_node(const envoy::config::core::v3::Node& proto, const NodePlan& plan,
                             const Extensions& extensions) {
  envoy::config::core::v3::Node node = proto;
  node.set_id(plan.id);
  node.set_cluster(plan.cluster);
  if (!plan.zone.empty()) node.mutable_locality()->set_zone(plan.zone);
  node.set_user_agent_name("sluice");
  auto& version = *node.mutable_user_agent_build_version()->mutable_version();
  version.set_major_number(SLUICE_VERSION_MAJOR);
  version.set_minor_number(SLUICE_VERSION_MINOR);
  version.set_patch(SLUICE_VERSION_PATCH);
  for (const auto& [category, type] : extensions.types()) {
    auto& extension = *node.add_extensions();
    extension.set_name(std::string(type));
    extension.set_category(category);
    extension.add_type_urls(std::string(type));
  }
  return bytes_of(node);
}

void compile_admin(const v3::Admin& proto, CompiledBootstrap& out, CompileScope& scope) {
  using A = v3::Admin;
  // profile_path belongs to a profiler that we do not have. Whoever looks after a full proxy always gets in: the
  // exception of ignore_global_conn_limit is the rule here.
  scope.only(proto, {A::kAccessLogFieldNumber, A::kAccessLogPathFieldNumber, A::kProfilePathFieldNumber,
                     A::kAddressFieldNumber, A::kIgnoreGlobalConnLimitFieldNumber, A::kSocketOptionsFieldNumber,
                     A::kAllowPathsFieldNumber});
  if (proto.has_address()) out.admin_address = compile_address(proto.address(), scope);
  out.admin_socket.more = compile_socket_options(proto.socket_options(), scope);
  for (const auto& path : proto.allow_paths()) out.admin_paths.push_back(compile_string_matcher(path, scope));
  auto logs = compile_access_logs(proto.access_log(), scope);
  const auto is_file = [](const model::AccessLogPlan& plan) { return plan.logger == nullptr; };
  if (logs != nullptr && !std::all_of(logs->logs.begin(), logs->logs.end(), is_file)) {
    scope.error(proto, A::kAccessLogFieldNumber, "not supported yet: loggers other than files");
  }
  if (!proto.access_log_path().empty()) {
    logs = logs == nullptr ? std::make_shared<model::AccessLogSet>() : logs;
    logs->logs.push_back(compile_plain_log(proto, proto.access_log_path(), scope));
  }
  out.admin_access_logs = std::move(logs);
}

// The object of json_format is the pattern of a line. Within it only %j is a message: others would break the JSON.
std::string compile_json_log_format(const LogFormat& proto, CompileScope& scope) {
  std::string pattern;
  format::append_json(pattern, Value(to_map(proto.json_format())));
  for (const char* flag : {"%v", "%_"}) {
    if (pattern.find(flag) == pattern.npos) continue;
    scope.error(proto, LogFormat::kJsonFormatFieldNumber, cat(flag, " cannot be used here: the message is %j"));
  }
  return pattern;
}

std::optional<std::string> compile_log_format(const v3::Bootstrap::ApplicationLogConfig& proto, CompileScope& scope) {
  if (!proto.has_log_format()) return std::nullopt;
  const LogFormat& format = proto.log_format();
  const std::string pattern = format.has_json_format() ? compile_json_log_format(format, scope) : format.text_format();
  if (const Result<void> fine = log::check_format(pattern); !fine) {
    scope.error(format,
                format.has_json_format() ? LogFormat::kJsonFormatFieldNumber : LogFormat::kTextFormatFieldNumber,
                fine.error());
  }
  return pattern;
}

// The one that is known switches on internal listeners.
void compile_extensions(const v3::Bootstrap& proto, CompiledBootstrap& out, CompileScope& scope) {
  using envoy::extensions::bootstrap::internal_listener::v3::InternalListener;
  for (const auto& extension : proto.bootstrap_extensions()) {
    const auto* content = scope.unpack(extension.typed_config());
    if (content == nullptr) continue;
    if (content->GetDescriptor() == InternalListener::descriptor()) {
      const auto& internal = static_cast<const InternalListener&>(*content);
      constexpr size_t kDefaultKb = 1024;
      out.internal_buffer = (internal.has_buffer_size_kb() ? internal.buffer_size_kb().value() : kDefaultKb) * 1024;
      continue;
    }
    scope.error(extension.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
  }
}

void compile_cluster_manager(const v3::ClusterManager& proto, CompiledBootstrap& out, CompileScope& scope) {
  using M = v3::ClusterManager;
  // enable_deferred_cluster_creation: what costs, the pools of a worker, is made at a cluster's first use anyhow.
  scope.only(proto, {M::kOutlierDetectionFieldNumber, M::kUpstreamBindConfigFieldNumber, M::kLoadStatsConfigFieldNumber,
                     M::kLocalClusterNameFieldNumber, M::kEnableDeferredClusterCreationFieldNumber});
  out.local_cluster = proto.local_cluster_name();
  scope.zone_aware = !out.local_cluster.empty();
  scope.only(proto.outlier_detection(), {M::OutlierDetection::kEventLogPathFieldNumber});
  scope.outlier_log_path = proto.outlier_detection().event_log_path();
}

// The resource is named by the layer's rtds_layer; without a name it is the layer's own.
void compile_discovered_layers(const v3::LayeredRuntime& proto, CompiledBootstrap& out, CompileScope& scope) {
  for (const v3::RuntimeLayer& layer : proto.layers()) {
    if (!layer.has_rtds_layer()) continue;
    if (!layer.rtds_layer().has_rtds_config()) {
      scope.error(layer, v3::RuntimeLayer::kRtdsLayerFieldNumber, "needs an rtds_config");
      continue;
    }
    const std::string& name = layer.rtds_layer().name().empty() ? layer.name() : layer.rtds_layer().name();
    if (const auto source = compile_config_source(layer.rtds_layer().rtds_config(), scope)) {
      out.runtime_sources.push_back({layer.name(), name, *source});
    }
  }
}

void compile_dynamic(const v3::Bootstrap::DynamicResources& proto, CompiledBootstrap& out, CompileScope& scope) {
  using D = v3::Bootstrap::DynamicResources;
  scope.only(proto, {D::kCdsConfigFieldNumber, D::kLdsConfigFieldNumber, D::kAdsConfigFieldNumber});
  if (proto.has_ads_config()) {
    using A = envoy::config::core::v3::ApiConfigSource;
    require_node(proto.ads_config(), scope);
    out.ads = compile_api_source(proto.ads_config(), scope);
    if (proto.ads_config().api_type() == A::REST) {
      scope.error(proto.ads_config(), A::kApiTypeFieldNumber, "must be GRPC or DELTA_GRPC for ADS");
    }
  }
  if (proto.has_cds_config()) {
    if (const auto source = compile_config_source(proto.cds_config(), scope)) out.clusters_source = *source;
  }
  if (proto.has_lds_config()) {
    if (const auto source = compile_listeners_source(proto.lds_config(), scope)) out.listeners_source = *source;
  }
}

// Load reports: a stream of their own; what of the message is about discovery means nothing there, as in Envoy.
void compile_load_stats(const v3::ClusterManager& proto, CompiledBootstrap& out, CompileScope& scope) {
  if (!proto.has_load_stats_config()) return;
  out.load_stats = compile_api_source(proto.load_stats_config(), scope);
  if (out.load_stats != nullptr && out.load_stats->protocol != model::ApiSource::Protocol::kSotw) {
    scope.error(proto.load_stats_config(), envoy::config::core::v3::ApiConfigSource::kApiTypeFieldNumber,
                "must be GRPC for load reports");
  }
}

// Nothing that we have is evicted, but what Envoy would refuse is refused.
void compile_flush(const v3::Bootstrap& proto, CompiledBootstrap& out, CompileScope& scope) {
  using B = v3::Bootstrap;
  if (proto.has_stats_flush_interval()) out.stats_flush_interval = to_duration(proto.stats_flush_interval());
  if (proto.has_stats_eviction_interval()) {
    const Duration eviction = to_duration(proto.stats_eviction_interval());
    if (out.stats_flush_interval > Duration::zero() && eviction % out.stats_flush_interval != Duration::zero()) {
      scope.error(
          proto, B::kStatsEvictionIntervalFieldNumber,
          cat("must be a multiple of the stats_flush_interval, which is ", to_ms(out.stats_flush_interval), " ms"));
    }
  }
  if (proto.stats_flush_case() == B::STATS_FLUSH_NOT_SET) return;
  if (proto.has_stats_flush_interval()) {
    scope.error(proto, B::kStatsFlushOnAdminFieldNumber, "cannot stand beside stats_flush_interval");
  }
  out.stats_flush_interval = Duration::zero();
}

// Fields whose lines are joined in all messages, beside those that always are.
void compile_inline_headers(const v3::Bootstrap& proto, CompileScope& scope) {
  using Inline = v3::CustomInlineHeader;
  if (proto.inline_headers().empty()) return;
  auto out = std::make_shared<http::InlineHeaders>(*scope.inline_headers);
  for (const Inline& one : proto.inline_headers()) {
    http::JoinedNames& names = one.inline_header_type() == Inline::REQUEST_HEADER    ? out->request_headers
                               : one.inline_header_type() == Inline::REQUEST_TRAILER ? out->request_trailers
                               : one.inline_header_type() == Inline::RESPONSE_HEADER ? out->response_headers
                                                                                     : out->response_trailers;
    if (!names.add(to_lower(one.inline_header_name()))) {
      scope.error(one, Inline::kInlineHeaderNameFieldNumber,
                  cat("is one too many: at most ", http::JoinedNames::kMost, " of a kind are joined"));
    }
  }
  scope.inline_headers = std::move(out);
}

// There is one engine.
void check_regex_engine(const v3::Bootstrap& proto, CompileScope& scope) {
  if (!proto.has_default_regex_engine()) return;
  const auto* content = scope.unpack(proto.default_regex_engine().typed_config());
  if (content != nullptr && content->GetDescriptor() != envoy::extensions::regex_engines::v3::GoogleRE2::descriptor()) {
    scope.error(proto.default_regex_engine().typed_config(),
                cat("not supported yet: ", content->GetDescriptor()->full_name()));
  }
}

// First of all: everything else may refer to them.
void collect_clusters(const Resources& proto, CompileScope& scope) {
  for (const auto& cluster : proto.clusters()) {
    if (cluster.name().empty()) scope.clusters->incomplete = true;
    const bool fixed = cluster.type() != envoy::config::cluster::v3::Cluster::EDS;
    const auto kind = fixed ? ClusterNames::Kind::kFixed : ClusterNames::Kind::kOther;
    if (!cluster.name().empty() && !scope.clusters->names.emplace(cluster.name(), kind).second) {
      scope.error(cluster, envoy::config::cluster::v3::Cluster::kNameFieldNumber,
                  cat("the cluster '", cluster.name(), "' stands twice"));
    }
  }
}

// Port 0 is another one each time.
void check_addresses(const Resources& proto, const std::vector<model::ListenerPlanPtr>& listeners,
                     CompileScope& scope) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < listeners.size(); ++i) {
    const net::Address& address = listeners[i]->address;
    if (address.kind() == net::AddressKind::kNone || (address.is_ip() && address.port() == 0)) continue;
    const auto [at, fresh] = seen.emplace(address.to_string(), i);
    if (fresh) continue;
    scope.error(proto.listeners(static_cast<int>(i)), envoy::config::listener::v3::Listener::kAddressFieldNumber,
                cat(at->first, " is the address of the listener '", listeners[at->second]->name, "' already (line ",
                    listeners[at->second]->origin.line, ")"));
  }
}

void compile(const v3::Bootstrap& proto, const BootstrapOptions& options, event::Files* files, CompileScope& scope,
             CompiledBootstrap& out) {
  check_fields(proto, scope);
  compile_extensions(proto, out, scope);
  out.log_format = compile_log_format(proto.application_log_config(), scope);
  out.node = compile_node(proto.node(), options);
  out.xds_node = compile_xds_node(proto.node(), out.node, scope.extensions());
  compile_runtime(proto.layered_runtime(), out.node.cluster, files, scope);
  out.runtime = scope.runtime.share();
  scope.node = {out.node.id, out.node.cluster};
  scope.connect = compile_bind(proto.cluster_manager(), scope);
  scope.resolver = compile_resolver(proto, scope);
  compile_flush(proto, out, scope);
  check_regex_engine(proto, scope);
  compile_inline_headers(proto, scope);
  out.watchdogs = compile_watchdogs(proto, scope);
  out.server_version = proto.stats_server_version_override().value();
  out.flags_path = proto.flags_path();
  out.time_turns = proto.enable_dispatcher_stats();
  out.stats = compile_stats_config(proto.stats_config(), scope);
  if (proto.has_overload_manager()) out.overload = compile_overload(proto.overload_manager(), scope);
  out.connection_limit = scope.runtime.live_number(UINT64_MAX, "overload.global_downstream_max_connections");
  if (proto.has_admin()) compile_admin(proto.admin(), out, scope);
  compile_cluster_manager(proto.cluster_manager(), out, scope);
  const Resources& resources = proto.static_resources();
  collect_clusters(resources, scope);
  if (!out.local_cluster.empty()) {
    scope.require_cluster(proto.cluster_manager(), v3::ClusterManager::kLocalClusterNameFieldNumber, out.local_cluster);
  }
  compile_discovered_layers(proto.layered_runtime(), out, scope);
  compile_dynamic(proto.dynamic_resources(), out, scope);
  compile_load_stats(proto.cluster_manager(), out, scope);
  out.stats_sinks = compile_stats_sinks(proto.stats_sinks(), scope);
  if (proto.tracing().has_http()) scope.tracer = compile_tracer(proto.tracing().http(), scope);
  for (const auto& secret : resources.secrets()) scope.tls->add_static(secret, scope);
  for (const auto& cluster : resources.clusters()) out.clusters.push_back(compile_cluster(cluster, scope));
  for (const auto& listener : resources.listeners()) out.listeners.push_back(compile_listener(listener, scope));
  check_addresses(resources, out.listeners, scope);
  for (const auto& listener : resources.listeners()) {
    if (listener.has_internal_listener() && !out.internal_buffer) {
      scope.error(listener, envoy::config::listener::v3::Listener::kInternalListenerFieldNumber,
                  "needs the bootstrap extension envoy.bootstrap.internal_listener");
    }
  }
  const auto unknown = options.reject_unknown_dynamic_fields ? UnknownFields::kRefuse : UnknownFields::kPass;
  out.resources = std::make_shared<ResourceCompiler>(scope.extensions(), scope, unknown);
}

}  // namespace

void CompiledBootstrap::reopen_logs() {
  if (log_files != nullptr) log_files->reopen();
}

void CompiledBootstrap::flush_logs() {
  if (log_files != nullptr) log_files->flush();
}

std::string CompileOutcome::error_text() const {
  std::string text;
  for (const ConfigError& error : findings.errors()) append(text, text.empty() ? "" : "\n", error.to_string());
  return text;
}

CompileOutcome compile_bootstrap(const BootstrapOptions& options, const Extensions& extensions, event::Files* files) {
  BootstrapSource source{options.path, options.yaml, {}};
  if (options.allow_unknown_fields) source.options.unknown_fields = ReadOptions::UnknownFields::Note;
  std::unique_ptr<Document> document = load_bootstrap(source);

  CompiledBootstrap out;
  CompileScope scope(document->map, document->findings, extensions);
  if (files != nullptr) out.log_files = std::make_shared<proxy::LogFiles>(*files);
  scope.log_files = out.log_files.get();
  out.tls = std::make_shared<TlsSecrets>(extensions, files, out.log_files.get());
  scope.tls = out.tls.get();
  scope.files = files;
  out.route_slots = std::make_shared<model::RouteSlots>();
  scope.route_slots = out.route_slots.get();
  compile(document->bootstrap, options, files, scope, out);
  out.tls->keep_static();
  document->findings.sort();

  CompileOutcome outcome;
  outcome.findings = document->findings;
  if (outcome.findings.ok()) {
    out.accepted = std::make_shared<const AcceptedConfig>(AcceptedConfig{bytes_of(document->bootstrap)});
    outcome.bootstrap = std::move(out);
  }
  outcome.document = std::move(document);
  return outcome;
}

}  // namespace sluice::config
