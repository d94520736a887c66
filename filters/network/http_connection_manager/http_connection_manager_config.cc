#include "filters/network/http_connection_manager/http_connection_manager_config.h"

#include "base/strings.h"
#include "config/access_log_compiler.h"
#include "config/client_detection_compiler.h"
#include "config/compile_scope.h"
#include "config/config_source_compiler.h"
#include "config/core_compiler.h"
#include "config/filter_compiler.h"
#include "config/header_compiler.h"
#include "config/http_options_compiler.h"
#include "config/local_reply_compiler.h"
#include "config/matcher_compiler.h"
#include "config/route_compiler.h"
#include "config/scoped_routes_compiler.h"
#include "config/tracing_compiler.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/request_id/uuid/v3/uuid.pb.h"
#include "model/http_plan.h"
#include "proxy/http_server.h"

namespace sluice::filters::http_connection_manager {
namespace {

using config::CompileScope;
using config::to_duration;
using Hcm = envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using UuidRequestId = envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;

void check_fields(const Hcm& proto, CompileScope& scope) {
  scope.only(proto, {Hcm::kCodecTypeFieldNumber,
                     Hcm::kStatPrefixFieldNumber,
                     Hcm::kAccessLogFlushIntervalFieldNumber,
                     Hcm::kFlushAccessLogOnNewRequestFieldNumber,
                     Hcm::kRouteConfigFieldNumber,
                     Hcm::kRdsFieldNumber,
                     Hcm::kHttpFiltersFieldNumber,
                     Hcm::kAddUserAgentFieldNumber,
                     Hcm::kCommonHttpProtocolOptionsFieldNumber,
                     Hcm::kHttpProtocolOptionsFieldNumber,
                     Hcm::kHttp2ProtocolOptionsFieldNumber,
                     Hcm::kServerNameFieldNumber,
                     Hcm::kServerHeaderTransformationFieldNumber,
                     Hcm::kSchemeHeaderTransformationFieldNumber,
                     Hcm::kMaxRequestHeadersKbFieldNumber,
                     Hcm::kStreamIdleTimeoutFieldNumber,
                     Hcm::kRequestTimeoutFieldNumber,
                     Hcm::kRequestHeadersTimeoutFieldNumber,
                     Hcm::kDrainTimeoutFieldNumber,
                     Hcm::kDelayedCloseTimeoutFieldNumber,
                     Hcm::kAccessLogFieldNumber,
                     Hcm::kAccessLogOptionsFieldNumber,
                     Hcm::kLocalReplyConfigFieldNumber,
                     Hcm::kScopedRoutesFieldNumber,
                     Hcm::kOriginalIpDetectionExtensionsFieldNumber,
                     Hcm::kEarlyHeaderMutationExtensionsFieldNumber,
                     Hcm::kUseRemoteAddressFieldNumber,
                     Hcm::kXffNumTrustedHopsFieldNumber,
                     Hcm::kInternalAddressConfigFieldNumber,
                     Hcm::kSkipXffAppendFieldNumber,
                     Hcm::kViaFieldNumber,
                     Hcm::kGenerateRequestIdFieldNumber,
                     Hcm::kRequestIdExtensionFieldNumber,
                     Hcm::kPreserveExternalRequestIdFieldNumber,
                     Hcm::kAlwaysSetRequestIdInResponseFieldNumber,
                     Hcm::kForwardClientCertDetailsFieldNumber,
                     Hcm::kSetCurrentClientCertDetailsFieldNumber,
                     Hcm::kProxy100ContinueFieldNumber,
                     Hcm::kRepresentIpv4RemoteAddressAsIpv4MappedIpv6FieldNumber,
                     Hcm::kUpgradeConfigsFieldNumber,
                     Hcm::kNormalizePathFieldNumber,
                     Hcm::kMergeSlashesFieldNumber,
                     Hcm::kPathWithEscapedSlashesActionFieldNumber,
                     Hcm::kStripMatchingHostPortFieldNumber,
                     Hcm::kStripAnyHostPortFieldNumber,
                     Hcm::kStreamErrorOnInvalidHttpMessageFieldNumber,
                     Hcm::kStripTrailingHostDotFieldNumber,
                     Hcm::kAppendXForwardedPortFieldNumber,
                     Hcm::kForwardProtoConfigFieldNumber,
                     Hcm::kAppendLocalOverloadFieldNumber,
                     Hcm::kProxyStatusConfigFieldNumber,
                     Hcm::kHttp3ProtocolOptionsFieldNumber,  // of QUIC listeners, which are refused
                     Hcm::kTracingFieldNumber});
}

void compile_codec(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  switch (proto.codec_type()) {
    case Hcm::HTTP1:
      out.codec_type = model::CodecType::kHttp1;
      break;
    case Hcm::HTTP2:
      out.codec_type = model::CodecType::kHttp2;
      break;
    case Hcm::HTTP3:
      scope.error(proto, Hcm::kCodecTypeFieldNumber,
                  cat("not supported yet: codec_type ", Hcm::CodecType_Name(proto.codec_type())));
      break;
    default:
      out.codec_type = model::CodecType::kAuto;
      break;
  }
  out.codec.stream_error_on_invalid_message = proto.stream_error_on_invalid_http_message().value();
  config::compile_http1_options(proto.http_protocol_options(), config::Side::kDownstream, out.codec, scope);
  out.http2.stream_error_on_invalid_message = proto.stream_error_on_invalid_http_message().value() ||
                                              proto.http2_protocol_options().stream_error_on_invalid_http_messaging();
  config::compile_http2_options(proto.http2_protocol_options(), config::Side::kDownstream, out.http2, scope);
  for (const auto& matcher : proto.http_protocol_options().ignore_http_11_upgrade()) {
    out.ignored_upgrades.push_back(config::compile_string_matcher(matcher, scope));
  }
  if (!out.ignored_upgrades.empty()) out.codec.ignored_upgrades = &out.ignored_upgrades;
  out.default_host = proto.http_protocol_options().default_host_for_http_10();
  out.codec.default_host_for_http_10 = out.default_host;
  out.codec.proxy_100_continue = proto.proxy_100_continue();
  if (proto.has_max_request_headers_kb()) out.codec.max_head_bytes = proto.max_request_headers_kb().value() * 1024;

  config::CommonHttpOptions common;
  config::compile_common_http_options(proto.common_http_protocol_options(), config::Side::kDownstream, common,
                                      out.codec, scope);
  out.idle_timeout = common.idle_timeout;
  out.max_connection_duration = common.max_connection_duration;
  out.max_stream_duration = common.max_stream_duration;
  out.max_requests_per_connection = common.max_requests_per_connection;
}

void compile_timeouts(const Hcm& proto, model::HttpPlan& out) {
  if (proto.has_stream_idle_timeout()) out.stream_idle_timeout = to_duration(proto.stream_idle_timeout());
  if (proto.has_request_timeout()) out.request_timeout = to_duration(proto.request_timeout());
  if (proto.has_request_headers_timeout()) out.request_headers_timeout = to_duration(proto.request_headers_timeout());
  if (proto.has_drain_timeout()) out.drain_timeout = to_duration(proto.drain_timeout());
  if (proto.has_delayed_close_timeout()) out.delayed_close_timeout = to_duration(proto.delayed_close_timeout());
}

void compile_reset_limits(model::HttpPlan& out, CompileScope& scope) {
  if (const auto streams = scope.runtime.number("overload.premature_reset_total_stream_count")) {
    out.premature_reset_streams = static_cast<uint32_t>(*streams);
  }
  if (const auto seconds = scope.runtime.number("overload.premature_reset_min_stream_lifetime_seconds")) {
    out.premature_reset_lifetime = std::chrono::seconds(static_cast<int64_t>(*seconds));
  }
}

std::shared_ptr<const model::ProxyStatusPlan> compile_proxy_status(const Hcm& proto, CompileScope& scope) {
  using Status = Hcm::ProxyStatusConfig;
  const Status& status = proto.proxy_status_config();
  auto out = std::make_shared<model::ProxyStatusPlan>();
  switch (status.proxy_name_case()) {
    case Status::kUseNodeId:  // false too
      out->name = scope.node.id;
      break;
    case Status::kLiteralProxyName:
      out->name = status.literal_proxy_name();
      break;
    case Status::PROXY_NAME_NOT_SET:
      out->name = proto.server_name();
      break;
  }
  if (out->name.empty()) out->name = "envoy";
  out->details = !status.remove_details();
  out->termination_details = !status.remove_connection_termination_details();
  out->flags = !status.remove_response_flags();
  out->recommended_status = status.set_recommended_response_code();
  return out;
}

void compile_identity(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  if (!proto.server_name().empty()) out.server_name = proto.server_name();
  switch (proto.server_header_transformation()) {
    case Hcm::APPEND_IF_ABSENT:
      out.server_header = model::ServerHeader::kAppendIfAbsent;
      break;
    case Hcm::PASS_THROUGH:
      out.server_header = model::ServerHeader::kPassThrough;
      break;
    default:
      break;
  }
  out.via = proto.via();
  if (proto.has_proxy_status_config()) out.proxy_status = compile_proxy_status(proto, scope);
  out.early_mutations = config::compile_early_mutations(proto.early_header_mutation_extensions(), scope);
  out.add_user_agent = proto.add_user_agent().value();
  out.node_id = scope.node.id;
  out.node_cluster = scope.node.cluster;
  out.generate_request_id = !proto.has_generate_request_id() || proto.generate_request_id().value();
  out.preserve_external_request_id = proto.preserve_external_request_id();
  out.always_set_request_id_in_response = proto.always_set_request_id_in_response();
  if (!proto.request_id_extension().has_typed_config()) return;
  const google::protobuf::Message* content = scope.unpack(proto.request_id_extension().typed_config());
  if (content == nullptr) return;
  if (content->GetDescriptor() != UuidRequestId::descriptor()) {
    scope.error(proto.request_id_extension(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
    return;
  }
  const auto& uuid = static_cast<const UuidRequestId&>(*content);
  out.pack_trace_reason = !uuid.has_pack_trace_reason() || uuid.pack_trace_reason().value();
  out.use_request_id_for_trace_sampling =
      !uuid.has_use_request_id_for_trace_sampling() || uuid.use_request_id_for_trace_sampling().value();
}

model::ClientCertDetails compile_client_cert(Hcm::ForwardClientCertDetails details) {
  switch (details) {
    case Hcm::FORWARD_ONLY:
      return model::ClientCertDetails::kForwardOnly;
    case Hcm::APPEND_FORWARD:
      return model::ClientCertDetails::kAppendForward;
    case Hcm::SANITIZE_SET:
      return model::ClientCertDetails::kSanitizeSet;
    case Hcm::ALWAYS_FORWARD_ONLY:
      return model::ClientCertDetails::kAlwaysForwardOnly;
    default:
      return model::ClientCertDetails::kSanitize;
  }
}

// What internal_address_config means when it names no ranges (seen of Envoy 1.40): RFC 1918, RFC 4193, this machine.
constexpr std::pair<std::string_view, uint32_t> kPrivate[] = {
    {"10.0.0.0", 8}, {"172.16.0.0", 12}, {"192.168.0.0", 16}, {"127.0.0.1", 32}, {"fd00::", 8}, {"::1", 128}};

void compile_forwarding(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  using Internal = Hcm::InternalAddressConfig;
  out.use_remote_address = proto.use_remote_address().value();
  out.xff_num_trusted_hops = proto.xff_num_trusted_hops();
  out.detections = config::compile_client_detections(proto.original_ip_detection_extensions(), scope);
  if (!out.detections.empty() && (out.use_remote_address || out.xff_num_trusted_hops > 0)) {
    scope.error(proto, Hcm::kOriginalIpDetectionExtensionsFieldNumber,
                "cannot stand beside use_remote_address or xff_num_trusted_hops");
  }
  out.skip_xff_append = proto.skip_xff_append();
  scope.only(proto.internal_address_config(), {Internal::kUnixSocketsFieldNumber, Internal::kCidrRangesFieldNumber});
  out.internal_unix_sockets = proto.internal_address_config().unix_sockets();
  out.internal_ranges = config::compile_ranges(proto.internal_address_config().cidr_ranges(), scope);
  if (proto.has_internal_address_config() && proto.internal_address_config().cidr_ranges().empty()) {
    for (const auto& [address, bits] : kPrivate) out.internal_ranges.push_back(*net::Cidr::from(address, bits));
  }
  out.represent_ipv4_as_mapped_ipv6 = proto.represent_ipv4_remote_address_as_ipv4_mapped_ipv6();
  out.append_local_overload = proto.append_local_overload();
  out.append_x_forwarded_port = proto.append_x_forwarded_port();
  out.client_cert = compile_client_cert(proto.forward_client_cert_details());
  const auto& parts = proto.set_current_client_cert_details();
  using Parts = Hcm::SetCurrentClientCertDetails;
  scope.only(parts,
             {Parts::kSubjectFieldNumber, Parts::kCertFieldNumber, Parts::kChainFieldNumber, Parts::kDnsFieldNumber,
              Parts::kUriFieldNumber, Parts::kIssuerFieldNumber, Parts::kFormatFieldNumber});
  out.client_cert_parts = {parts.cert(), parts.chain(),  parts.subject().value(),    parts.uri(),
                           parts.dns(),  parts.issuer(), parts.format() == Hcm::JSON};
  for (const uint32_t port : proto.forward_proto_config().https_destination_ports()) {
    out.forward_proto.emplace_back(port, "https");
  }
  for (const uint32_t port : proto.forward_proto_config().http_destination_ports()) {
    out.forward_proto.emplace_back(port, "http");
  }
  const auto& scheme = proto.scheme_header_transformation();
  using Scheme = envoy::config::core::v3::SchemeHeaderTransformation;
  scope.only(scheme, {Scheme::kSchemeToOverwriteFieldNumber, Scheme::kMatchUpstreamFieldNumber});
  out.scheme_match_upstream = scheme.match_upstream();
  out.scheme_to_overwrite = scheme.scheme_to_overwrite();
}

// IMPLEMENTATION_SPECIFIC_DEFAULT keeps them, unless a runtime key says otherwise.
http::EscapedSlashes compile_slashes(const Hcm& proto, CompileScope& scope) {
  uint64_t action = proto.path_with_escaped_slashes_action();
  if (action == Hcm::IMPLEMENTATION_SPECIFIC_DEFAULT) {
    action = scope.runtime.number("http_connection_manager.path_with_escaped_slashes_action").value_or(0);
  }
  switch (action) {
    case Hcm::REJECT_REQUEST:
      return http::EscapedSlashes::kReject;
    case Hcm::UNESCAPE_AND_REDIRECT:
      return http::EscapedSlashes::kUnescapeAndRedirect;
    case Hcm::UNESCAPE_AND_FORWARD:
      return http::EscapedSlashes::kUnescapeAndForward;
    default:
      return http::EscapedSlashes::kKeep;
  }
}

void compile_normalisation(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  out.normalize_path = proto.has_normalize_path()
                           ? proto.normalize_path().value()
                           : scope.runtime.number("http_connection_manager.normalize_path").value_or(0) >= 100;
  out.merge_slashes = proto.merge_slashes();
  out.escaped_slashes = compile_slashes(proto, scope);
  if (!scope.runtime.boolean("envoy.reloadable_features.http_reject_path_with_fragment").value_or(true)) {
    out.fragment = http::Fragment::kStrip;
  }
  out.strip_matching_host_port = proto.strip_matching_host_port();
  out.strip_any_host_port = proto.strip_any_host_port();
  out.strip_trailing_host_dot = proto.strip_trailing_host_dot();
  if (out.strip_matching_host_port && out.strip_any_host_port) {
    scope.error(proto, Hcm::kStripAnyHostPortFieldNumber, "cannot stand beside strip_matching_host_port");
  }
}

void compile_upgrades(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  using U = Hcm::UpgradeConfig;
  for (const U& upgrade : proto.upgrade_configs()) {
    scope.only(upgrade, {U::kUpgradeTypeFieldNumber, U::kEnabledFieldNumber});
    model::Upgrade one{to_lower(upgrade.upgrade_type()), !upgrade.has_enabled() || upgrade.enabled().value()};
    for (const model::Upgrade& before : out.upgrades) {
      if (before.type == one.type)
        scope.error(upgrade, U::kUpgradeTypeFieldNumber, cat("'", one.type, "' stands twice"));
    }
    out.upgrades.push_back(std::move(one));
  }
}

void compile_logs(const Hcm& proto, model::HttpPlan& out, CompileScope& scope) {
  using Options = Hcm::HcmAccessLogOptions;
  out.access_logs = config::compile_access_logs(proto.access_log(), scope);
  const Options& options = proto.access_log_options();
  out.log_at_tunnel = options.flush_log_on_tunnel_successfully_established();
  out.log_interval = to_duration(options.access_log_flush_interval());
  out.log_at_start = options.flush_access_log_on_new_request();
  // The deprecated fields that these have replaced.
  const bool old = proto.flush_access_log_on_new_request() || proto.has_access_log_flush_interval();
  if (!old) return;
  if (proto.has_access_log_options()) {
    scope.error(proto, Hcm::kAccessLogOptionsFieldNumber,
                "cannot stand beside access_log_flush_interval or flush_access_log_on_new_request");
  }
  out.log_at_start = proto.flush_access_log_on_new_request();
  out.log_interval = to_duration(proto.access_log_flush_interval());
}

// Connection managers that want the same table from the same source share it.
std::shared_ptr<model::RouteSlot> compile_rds(const Hcm& proto, CompileScope& scope) {
  using Rds = envoy::extensions::filters::network::http_connection_manager::v3::Rds;
  scope.only(proto.rds(), {Rds::kConfigSourceFieldNumber, Rds::kRouteConfigNameFieldNumber});
  if (!proto.rds().has_config_source()) {
    scope.error(proto, Hcm::kRdsFieldNumber, "needs a config_source");
    return nullptr;
  }
  const auto source = config::compile_config_source(proto.rds().config_source(), scope);
  if (!source) return nullptr;
  const std::string& name = proto.rds().route_config_name();
  auto slot = scope.route_slots->slot(*source, name);
  scope.needs.routes.push_back({name, proto.stat_prefix(), *source, slot});
  return slot;
}

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Hcm&>(message);
  check_fields(proto, scope);
  auto out = std::make_shared<model::HttpPlan>();
  out->stat_prefix = proto.stat_prefix();
  out->inline_headers = scope.inline_headers;
  compile_codec(proto, *out, scope);
  compile_timeouts(proto, *out);
  compile_reset_limits(*out, scope);
  compile_identity(proto, *out, scope);
  compile_forwarding(proto, *out, scope);
  compile_normalisation(proto, *out, scope);
  compile_upgrades(proto, *out, scope);
  out->filters = config::compile_http_filters(proto.http_filters(), scope);
  compile_logs(proto, *out, scope);
  if (proto.has_tracing()) out->tracing = config::compile_tracing(proto.tracing(), scope);
  if (proto.has_local_reply_config()) out->local_reply = config::compile_local_reply(proto.local_reply_config(), scope);
  if (proto.has_scoped_routes()) {
    out->scopes = config::compile_scoped_routes(proto.scoped_routes(), proto.stat_prefix(), scope);
  } else if (proto.has_route_config()) {
    out->routes = config::compile_route_table(proto.route_config(), config::RouteSource::kInline, scope);
  } else if (proto.has_rds()) {
    out->route_slot = compile_rds(proto, scope);
  } else if (proto.route_specifier_case() == Hcm::ROUTE_SPECIFIER_NOT_SET) {
    scope.error(proto, "needs routes: route_config, rds or scoped_routes");
  }
  out->origin = scope.origin(proto);
  return std::make_shared<const proxy::HttpConnectionManager>(std::move(out));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
          .compile = &compile,
          .terminal = true};
}

}  // namespace sluice::filters::http_connection_manager
