#include "config/config_source_compiler.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "config/google_grpc_compiler.h"
#include "event/files.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using core::ApiConfigSource;
using core::ConfigSource;
using core::GrpcService;

void refuse_v2(const google::protobuf::Message& proto, int field, core::ApiVersion version, CompileScope& scope) {
  if (version == core::V2) scope.error(proto, field, "V2 is no more; the version is V3");
}

// The control plane's cluster is reached before any cluster that is discovered.
void require_fixed(const google::protobuf::Message& proto, int field, const std::string& name, CompileScope& scope) {
  if (scope.clusters->is_fixed(name) || scope.clusters->incomplete) return;
  scope.error(proto, field, cat("'", name, "' must be a cluster of the bootstrap that is not an EDS cluster itself"));
}

void compile_back_off(const core::RetryPolicy& proto, model::ApiSource& out, CompileScope& scope) {
  scope.only(proto, {core::RetryPolicy::kRetryBackOffFieldNumber});
  if (!proto.has_retry_back_off()) return;
  const auto& back_off = proto.retry_back_off();
  out.back_off_base = to_duration(back_off.base_interval());
  out.back_off_max = back_off.has_max_interval() ? to_duration(back_off.max_interval()) : out.back_off_base * 10;
  if (out.back_off_max < out.back_off_base) {
    scope.error(back_off, core::BackoffStrategy::kMaxIntervalFieldNumber, "must not be below base_interval");
  }
}

void compile_envoy_grpc(const GrpcService::EnvoyGrpc& proto, model::ApiSource& out, CompileScope& scope) {
  using E = GrpcService::EnvoyGrpc;
  // skip_envoy_headers: calls of our own carry none.
  scope.only(proto, {E::kClusterNameFieldNumber, E::kAuthorityFieldNumber, E::kRetryPolicyFieldNumber,
                     E::kMaxReceiveMessageLengthFieldNumber, E::kSkipEnvoyHeadersFieldNumber});
  out.cluster = proto.cluster_name();
  out.authority = proto.authority();
  require_fixed(proto, E::kClusterNameFieldNumber, out.cluster, scope);
  compile_back_off(proto.retry_policy(), out, scope);
  if (proto.has_max_receive_message_length()) out.max_message_bytes = proto.max_receive_message_length().value();
}

void compile_grpc(const ApiConfigSource& proto, model::ApiSource& out, CompileScope& scope) {
  if (proto.grpc_services_size() != 1) {
    scope.error(proto, ApiConfigSource::kGrpcServicesFieldNumber,
                cat("there are ", proto.grpc_services_size(), " gRPC services; there must be exactly one"));
    return;
  }
  if (proto.cluster_names_size() > 0) {
    scope.error(proto, ApiConfigSource::kClusterNamesFieldNumber, "is for REST; gRPC takes grpc_services");
  }
  const GrpcService& service = proto.grpc_services(0);
  // timeout: a stream of discovery has none.
  scope.only(service,
             {GrpcService::kEnvoyGrpcFieldNumber, GrpcService::kGoogleGrpcFieldNumber, GrpcService::kTimeoutFieldNumber,
              GrpcService::kInitialMetadataFieldNumber, GrpcService::kRetryPolicyFieldNumber});
  compile_back_off(service.retry_policy(), out, scope);
  if (service.has_envoy_grpc()) compile_envoy_grpc(service.envoy_grpc(), out, scope);
  if (service.has_google_grpc()) out.google_grpc = compile_google_grpc(service.google_grpc(), scope);
  for (const auto& header : service.initial_metadata()) {
    out.metadata.emplace_back(to_lower(header.key()), header.raw_value().empty() ? header.value() : header.raw_value());
  }
}

void compile_rest(const ApiConfigSource& proto, model::ApiSource& out, CompileScope& scope) {
  if (proto.cluster_names_size() != 1) {
    scope.error(proto, ApiConfigSource::kClusterNamesFieldNumber,
                cat("there are ", proto.cluster_names_size(), " names; there must be exactly one"));
    return;
  }
  out.cluster = proto.cluster_names(0);
  require_fixed(proto, ApiConfigSource::kClusterNamesFieldNumber, out.cluster, scope);
  if (!proto.has_refresh_delay()) {
    scope.error(proto, ApiConfigSource::kRefreshDelayFieldNumber, "REST needs to know how often it asks");
  }
  out.refresh_delay = to_duration(proto.refresh_delay());
  if (proto.has_request_timeout()) out.request_timeout = to_duration(proto.request_timeout());
}

std::optional<model::ConfigSource> compile_file(const ConfigSource& proto, CompileScope& scope) {
  using P = core::PathConfigSource;
  model::ConfigSource out;
  out.kind = model::ConfigSource::Kind::kFile;
  if (proto.has_path_config_source()) {
    scope.only(proto.path_config_source(), {P::kPathFieldNumber, P::kWatchedDirectoryFieldNumber});
    out.path = proto.path_config_source().path();
    out.directory = proto.path_config_source().watched_directory().path();
  } else {
    out.path = proto.path();
  }
  const auto is_folder = [&](const std::string& path) {
    std::error_code ignored;
    return scope.files != nullptr ? scope.files->list(path).ok() : std::filesystem::is_directory(path, ignored);
  };
  if (!out.directory.empty() && !is_folder(out.directory)) {
    scope.error(proto.path_config_source().watched_directory(), core::WatchedDirectory::kPathFieldNumber,
                cat("there is no directory '", out.directory, "'"));
    return std::nullopt;
  }
  const bool there = scope.files != nullptr ? scope.files->read(out.path).ok() : std::filesystem::exists(out.path);
  if (there) return out;
  scope.error(proto, cat("there is no file '", out.path, "': it must exist at the start"));
  return std::nullopt;
}

std::optional<model::ConfigSource> compile_kinds(const ConfigSource& proto, CompileScope& scope) {
  using S = ConfigSource;
  scope.only(proto, {S::kPathFieldNumber, S::kPathConfigSourceFieldNumber, S::kApiConfigSourceFieldNumber,
                     S::kAdsFieldNumber, S::kInitialFetchTimeoutFieldNumber, S::kResourceApiVersionFieldNumber});
  // resource_api_version is read by nobody, as in Envoy: the types say which version they are.
  std::optional<model::ConfigSource> out;
  switch (proto.config_source_specifier_case()) {
    case S::kPath:
    case S::kPathConfigSource:
      out = compile_file(proto, scope);
      break;
    case S::kApiConfigSource:
      if (auto api = compile_api_source(proto.api_config_source(), scope)) {
        out.emplace();
        out->kind = model::ConfigSource::Kind::kApi;
        out->api = std::move(api);
      }
      break;
    case S::kAds:
      out.emplace();
      out->kind = model::ConfigSource::Kind::kAds;
      break;
    default:
      break;  // only(), or validation, told
  }
  if (out && proto.has_initial_fetch_timeout()) out->initial_fetch_timeout = to_duration(proto.initial_fetch_timeout());
  return out;
}

}  // namespace

void require_node(const google::protobuf::Message& place, CompileScope& scope) {
  if (!scope.node.id.empty() && !scope.node.cluster.empty()) return;
  scope.error(place, "needs to know who asks: node.id and node.cluster, or --service-node and --service-cluster");
}

std::shared_ptr<const model::ApiSource> compile_api_source(const ApiConfigSource& proto, CompileScope& scope) {
  using A = ApiConfigSource;
  const size_t errors = scope.findings().errors().size();
  scope.only(proto, {A::kApiTypeFieldNumber, A::kTransportApiVersionFieldNumber, A::kClusterNamesFieldNumber,
                     A::kGrpcServicesFieldNumber, A::kRefreshDelayFieldNumber, A::kRequestTimeoutFieldNumber,
                     A::kRateLimitSettingsFieldNumber, A::kSetNodeOnFirstMessageOnlyFieldNumber});
  refuse_v2(proto, A::kTransportApiVersionFieldNumber, proto.transport_api_version(), scope);
  auto out = std::make_shared<model::ApiSource>();
  out->node_once = proto.set_node_on_first_message_only();
  if (proto.has_rate_limit_settings()) {
    out->rate_limited = true;
    const auto& limit = proto.rate_limit_settings();
    if (limit.has_max_tokens()) out->max_tokens = limit.max_tokens().value();
    if (limit.has_fill_rate()) out->fill_rate = limit.fill_rate().value();
  }
  switch (proto.api_type()) {
    case A::REST:
      out->protocol = model::ApiSource::Protocol::kRest;
      compile_rest(proto, *out, scope);
      break;
    case A::GRPC:
      compile_grpc(proto, *out, scope);
      break;
    case A::DELTA_GRPC:
      out->protocol = model::ApiSource::Protocol::kDelta;
      compile_grpc(proto, *out, scope);
      break;
    default:
      scope.error(proto, A::kApiTypeFieldNumber, cat("not supported yet: ", A::ApiType_Name(proto.api_type())));
  }
  return scope.findings().errors().size() == errors ? out : nullptr;
}

std::optional<model::ConfigSource> compile_config_source(const ConfigSource& proto, CompileScope& scope) {
  require_node(proto, scope);
  return compile_kinds(proto, scope);
}

std::optional<model::ConfigSource> compile_listeners_source(const ConfigSource& proto, CompileScope& scope) {
  using S = ConfigSource;
  const auto kind = proto.config_source_specifier_case();
  if (kind != S::kPath && kind != S::kPathConfigSource) require_node(proto, scope);
  return compile_kinds(proto, scope);
}

}  // namespace sluice::config
