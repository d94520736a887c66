#include "exporters/collector_config.h"

#include <string_view>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/google_grpc_compiler.h"
#include "format/formatter.h"
#include "upstream/google_grpc.h"

namespace sluice::exporters {

namespace core = envoy::config::core::v3;

namespace {

void compile_field(const core::HeaderValue& proto, Fields& out, config::CompileScope& scope) {
  if (!proto.raw_value().empty()) scope.not_supported(proto, core::HeaderValue::kRawValueFieldNumber);
  out.emplace_back(to_lower(proto.key()), proto.value());
}

std::shared_ptr<const upstream::GoogleService> compile_google(const core::GrpcService& proto,
                                                              config::CompileScope& scope) {
  const config::MakeGoogleService make = scope.extensions().google_grpc();
  if (make == nullptr) {
    scope.not_supported(proto, core::GrpcService::kGoogleGrpcFieldNumber);
    return nullptr;
  }
  return make(config::compile_google_grpc(proto.google_grpc(), scope));
}

}  // namespace

Collector compile_http_collector(const core::HttpService& proto, config::CompileScope& scope) {
  using Uri = core::HttpUri;
  scope.only(proto, {core::HttpService::kHttpUriFieldNumber, core::HttpService::kRequestHeadersToAddFieldNumber});
  scope.only(proto.http_uri(), {Uri::kUriFieldNumber, Uri::kClusterFieldNumber, Uri::kTimeoutFieldNumber});
  Collector out;
  out.cluster = proto.http_uri().cluster();
  out.timeout = config::to_duration(proto.http_uri().timeout());
  // scheme://authority/path
  std::string_view uri = proto.http_uri().uri();
  if (const size_t scheme = uri.find("://"); scheme != std::string_view::npos) uri.remove_prefix(scheme + 3);
  const size_t slash = uri.find('/');
  out.authority = uri.substr(0, slash);
  out.path = slash == std::string_view::npos ? std::string_view("/") : uri.substr(slash);
  for (const auto& option : proto.request_headers_to_add()) {
    if (option.has_append() || option.append_action() != core::HeaderValueOption::APPEND_IF_EXISTS_OR_ADD) {
      scope.not_supported(option, core::HeaderValueOption::kAppendActionFieldNumber);
    }
    const core::HeaderValue& header = option.header();
    auto value = scope.formatter(header, core::HeaderValue::kValueFieldNumber, header.value(), {});
    if (!value) continue;
    if (value->constant().data() == nullptr) {
      out.computed.emplace_back(to_lower(header.key()), std::move(*value));
      continue;
    }
    compile_field(header, out.fields, scope);
    out.fields.back().second = value->constant();  // %% is one
  }
  return out;
}

Collector compile_grpc_collector(const core::GrpcService& proto, config::CompileScope& scope) {
  using Grpc = core::GrpcService::EnvoyGrpc;
  scope.only(proto, {core::GrpcService::kEnvoyGrpcFieldNumber, core::GrpcService::kGoogleGrpcFieldNumber,
                     core::GrpcService::kTimeoutFieldNumber, core::GrpcService::kInitialMetadataFieldNumber});
  // The retry_policy of envoy_grpc is for streams of discovery only.
  scope.only(proto.envoy_grpc(),
             {Grpc::kClusterNameFieldNumber, Grpc::kAuthorityFieldNumber, Grpc::kRetryPolicyFieldNumber});
  Collector out;
  out.over = Collector::Over::kGrpc;
  out.cluster = proto.envoy_grpc().cluster_name();
  out.authority = proto.envoy_grpc().authority();
  if (proto.has_google_grpc()) out.google = compile_google(proto, scope);
  if (proto.has_timeout()) out.timeout = config::to_duration(proto.timeout());
  for (const auto& field : proto.initial_metadata()) compile_field(field, out.fields, scope);
  return out;
}

}  // namespace sluice::exporters
