#include "config/health_compiler.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "config/access_log_compiler.h"
#include "config/any.h"
#include "config/core_compiler.h"
#include "config/endpoint_compiler.h"
#include "config/header_compiler.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/health_check/event_sinks/file/v3/file.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "proxy/access_log/log_files.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using core::HealthCheck;
using envoy::config::cluster::v3::Cluster;
using envoy::config::cluster::v3::OutlierDetection;
using MatchPredicate = envoy::config::common::matcher::v3::MatchPredicate;
using HttpProtocolOptions = envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
using EventFileSink = envoy::extensions::health_check::event_sinks::file::v3::HealthCheckEventFileSink;

template <typename Wrapper, typename T>
void take(bool has, const Wrapper& wrapper, T& to) {
  if (has) to = wrapper.value();
}

std::shared_ptr<event::AppendFile> open_if_named(const google::protobuf::Message& place, const std::string& path,
                                                 CompileScope& scope) {
  return path.empty() ? nullptr : open_log(place, path, scope);
}

int digit_of_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// `text` is hexadecimal.
std::string compile_payload(const HealthCheck::Payload& proto, CompileScope& scope) {
  if (!proto.binary().empty()) return proto.binary();
  const std::string& text = proto.text();
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit_of_hex(text[i]);
    const int low = digit_of_hex(text[i + 1]);
    if (high < 0 || low < 0) break;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  if (out.size() * 2 != text.size()) {
    scope.error(proto, HealthCheck::Payload::kTextFieldNumber, cat("'", text, "' is no hexadecimal text"));
  }
  return out;
}

template <typename Payloads>
std::vector<std::string> compile_payloads(const Payloads& protos, CompileScope& scope) {
  std::vector<std::string> out;
  for (const auto& one : protos) out.push_back(compile_payload(one, scope));
  return out;
}

template <typename Ranges>
std::vector<match::IntegerRange> compile_statuses(const Ranges& protos, CompileScope& scope) {
  std::vector<match::IntegerRange> out;
  for (const auto& range : protos) {
    if (range.start() < 100 || range.end() > 600 || range.start() >= range.end()) {
      scope.error(range,
                  cat("[", range.start(), ", ", range.end(), ") is no range of statuses: 100 <= start < end <= 600"));
    }
    out.push_back({range.start(), range.end()});
  }
  return out;
}

std::string method_name(core::RequestMethod method) {
  return method == core::METHOD_UNSPECIFIED ? "GET" : core::RequestMethod_Name(method);
}

model::HttpCheck compile_http(const HealthCheck::HttpHealthCheck& proto, CompileScope& scope) {
  using H = HealthCheck::HttpHealthCheck;
  scope.only(proto,
             {H::kHostFieldNumber, H::kPathFieldNumber, H::kSendFieldNumber, H::kReceiveFieldNumber,
              H::kResponseBufferSizeFieldNumber, H::kRequestHeadersToAddFieldNumber,
              H::kRequestHeadersToRemoveFieldNumber, H::kExpectedStatusesFieldNumber, H::kRetriableStatusesFieldNumber,
              H::kCodecClientTypeFieldNumber, H::kMethodFieldNumber, H::kServiceNameMatcherFieldNumber});
  model::HttpCheck out;
  out.host = proto.host();
  out.path = proto.path();
  out.method = method_name(proto.method());
  if (proto.has_send()) {
    out.send = compile_payload(proto.send(), scope);
    if (out.method != "POST" && out.method != "PUT" && out.method != "PATCH" && out.method != "OPTIONS") {
      scope.error(proto, H::kMethodFieldNumber, "a check with a body needs a method that has one");
    }
  }
  out.receive = compile_payloads(proto.receive(), scope);
  if (proto.has_response_buffer_size()) {
    constexpr uint64_t kMost = 16 * 1024 * 1024;  // what 0 says, too: all of the answer
    const uint64_t size = proto.response_buffer_size().value();
    out.response_buffer = static_cast<uint32_t>(size == 0 ? kMost : std::min(size, kMost));
  }
  size_t expected = 0;
  for (const std::string& part : out.receive) expected += part.size();
  if (expected > out.response_buffer) {
    scope.error(proto, H::kReceiveFieldNumber,
                cat("is ", expected, " bytes, more than response_buffer_size (", out.response_buffer, ")"));
  }
  if (proto.has_service_name_matcher()) {
    out.service = compile_string_matcher(proto.service_name_matcher(), scope);
    out.verify_service.runtime_key = "health_check.verify_cluster";
    out.verify_service = scope.runtime.fraction(out.verify_service);
  }
  out.request_headers = compile_header_rules(proto, proto.request_headers_to_add(), proto.request_headers_to_remove(),
                                             H::kRequestHeadersToRemoveFieldNumber, scope);
  out.expected = compile_statuses(proto.expected_statuses(), scope);
  out.retriable = compile_statuses(proto.retriable_statuses(), scope);
  if (proto.codec_client_type() == envoy::type::v3::HTTP3) scope.not_supported(proto, H::kCodecClientTypeFieldNumber);
  out.http2 = proto.codec_client_type() == envoy::type::v3::HTTP2;
  return out;
}

model::TcpCheck compile_tcp(const HealthCheck::TcpHealthCheck& proto, CompileScope& scope) {
  using T = HealthCheck::TcpHealthCheck;
  scope.only(proto, {T::kSendFieldNumber, T::kReceiveFieldNumber, T::kProxyProtocolConfigFieldNumber});
  model::TcpCheck out;
  if (proto.has_proxy_protocol_config()) {
    using P = core::ProxyProtocolConfig;
    scope.only(proto.proxy_protocol_config(), {P::kVersionFieldNumber});
    out.proxy.emplace().version =
        proto.proxy_protocol_config().version() == P::V2 ? net::ProxyVersion::kV2 : net::ProxyVersion::kV1;
  }
  if (proto.has_send()) out.send = compile_payload(proto.send(), scope);
  out.receive = compile_payloads(proto.receive(), scope);
  return out;
}

model::GrpcCheck compile_grpc(const HealthCheck::GrpcHealthCheck& proto, CompileScope& scope) {
  using G = HealthCheck::GrpcHealthCheck;
  scope.only(proto, {G::kServiceNameFieldNumber, G::kAuthorityFieldNumber, G::kInitialMetadataFieldNumber});
  model::GrpcCheck out;
  out.service = proto.service_name();
  out.authority = proto.authority();
  out.initial_metadata = compile_header_rules(proto, proto.initial_metadata(),
                                              google::protobuf::RepeatedPtrField<std::string>(), 0, scope);
  return out;
}

std::shared_ptr<model::HealthCheckPlan> compile_check(const HealthCheck& proto, CompileScope& scope) {
  using H = HealthCheck;
  scope.only(proto, {H::kNameFieldNumber,
                     H::kTimeoutFieldNumber,
                     H::kIntervalFieldNumber,
                     H::kInitialJitterFieldNumber,
                     H::kIntervalJitterFieldNumber,
                     H::kIntervalJitterPercentFieldNumber,
                     H::kUnhealthyThresholdFieldNumber,
                     H::kHealthyThresholdFieldNumber,
                     H::kAltPortFieldNumber,
                     H::kReuseConnectionFieldNumber,
                     H::kHttpHealthCheckFieldNumber,
                     H::kTcpHealthCheckFieldNumber,
                     H::kGrpcHealthCheckFieldNumber,
                     H::kNoTrafficIntervalFieldNumber,
                     H::kNoTrafficHealthyIntervalFieldNumber,
                     H::kUnhealthyIntervalFieldNumber,
                     H::kUnhealthyEdgeIntervalFieldNumber,
                     H::kHealthyEdgeIntervalFieldNumber,
                     H::kEventLogPathFieldNumber,
                     H::kEventLoggerFieldNumber,
                     H::kAlwaysLogHealthCheckFailuresFieldNumber,
                     H::kAlwaysLogHealthCheckSuccessFieldNumber,
                     H::kTlsOptionsFieldNumber,
                     H::kTransportSocketMatchCriteriaFieldNumber});
  auto out = std::make_shared<model::HealthCheckPlan>();
  out->name = proto.name();
  out->alpn.assign(proto.tls_options().alpn_protocols().begin(), proto.tls_options().alpn_protocols().end());
  std::erase(out->alpn, "");  // as of a TLS context
  for (const std::string& name : out->alpn) {
    if (name.size() <= 255) continue;
    scope.error(proto.tls_options(), cat("'", name, "' cannot be the name of an application protocol"));
  }
  if (proto.has_http_health_check()) out->http = compile_http(proto.http_health_check(), scope);
  if (proto.has_tcp_health_check()) out->tcp = compile_tcp(proto.tcp_health_check(), scope);
  if (proto.has_grpc_health_check()) out->grpc = compile_grpc(proto.grpc_health_check(), scope);
  out->timeout = to_duration(proto.timeout());
  out->interval = to_duration(proto.interval());
  if (proto.has_initial_jitter()) out->initial_jitter = to_duration(proto.initial_jitter());
  if (proto.has_interval_jitter()) out->interval_jitter = to_duration(proto.interval_jitter());
  out->interval_jitter_percent = proto.interval_jitter_percent();
  out->unhealthy_threshold = proto.unhealthy_threshold().value();
  out->healthy_threshold = proto.healthy_threshold().value();
  if (proto.has_no_traffic_interval()) out->no_traffic_interval = to_duration(proto.no_traffic_interval());
  out->no_traffic_healthy_interval = proto.has_no_traffic_healthy_interval()
                                         ? to_duration(proto.no_traffic_healthy_interval())
                                         : out->no_traffic_interval;
  out->unhealthy_interval = proto.has_unhealthy_interval() ? to_duration(proto.unhealthy_interval()) : out->interval;
  out->unhealthy_edge_interval =
      proto.has_unhealthy_edge_interval() ? to_duration(proto.unhealthy_edge_interval()) : out->unhealthy_interval;
  out->healthy_edge_interval =
      proto.has_healthy_edge_interval() ? to_duration(proto.healthy_edge_interval()) : out->interval;
  if (proto.alt_port().value() > 65535) {
    scope.error(proto, H::kAltPortFieldNumber, cat(proto.alt_port().value(), " is no port"));
  }
  out->alt_port = static_cast<uint16_t>(proto.alt_port().value());
  out->reuse_connection = !proto.has_reuse_connection() || proto.reuse_connection().value();
  out->log_every_failure = proto.always_log_health_check_failures();
  out->log_every_success = proto.always_log_health_check_success();
  if (auto log = open_if_named(proto, proto.event_log_path(), scope)) out->event_logs.push_back(std::move(log));
  for (const auto& logger : proto.event_logger()) {
    const auto* sink = scope.unpack_to<EventFileSink>(logger.typed_config());
    if (sink == nullptr) continue;
    if (auto log = open_if_named(*sink, sink->event_log_path(), scope)) out->event_logs.push_back(std::move(log));
  }
  return out;
}

model::ResponseMatch compile_response_match(const MatchPredicate& proto, CompileScope& scope) {
  using Kind = model::ResponseMatch::Kind;
  model::ResponseMatch out;
  const auto compile_set = [&](Kind kind, const MatchPredicate::MatchSet& set) {
    out.kind = kind;
    for (const MatchPredicate& rule : set.rules()) out.rules.push_back(compile_response_match(rule, scope));
  };
  switch (proto.rule_case()) {
    case MatchPredicate::kOrMatch:
      compile_set(Kind::kAny, proto.or_match());
      break;
    case MatchPredicate::kAndMatch:
      compile_set(Kind::kAll, proto.and_match());
      break;
    case MatchPredicate::kNotMatch:
      out.kind = Kind::kNot;
      out.rules.push_back(compile_response_match(proto.not_match(), scope));
      break;
    case MatchPredicate::kAnyMatch:
      out.kind = Kind::kAlways;
      break;
    case MatchPredicate::kHttpResponseHeadersMatch:
      out.kind = Kind::kHeaders;
      out.headers = compile_header_matchers(proto.http_response_headers_match().headers(), scope);
      break;
    default:
      out.kind = Kind::kNever;
  }
  return out;
}

std::shared_ptr<const model::ResponseMatch> compile_errors(const Cluster& cluster, CompileScope& scope) {
  for (const auto& [name, any] : cluster.typed_extension_protocol_options()) {
    if (name != HttpProtocolOptions::descriptor()->full_name()) continue;
    const auto content = unpack(any, scope.map());
    if (!content || (*content)->GetDescriptor() != HttpProtocolOptions::descriptor()) continue;
    const auto& options = static_cast<const HttpProtocolOptions&>(**content);
    if (!options.has_outlier_detection()) continue;
    return std::make_shared<model::ResponseMatch>(
        compile_response_match(options.outlier_detection().error_matcher(), scope));
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<const model::OutlierPlan> compile_outlier(const Cluster& cluster, CompileScope& scope) {
  using O = OutlierDetection;
  std::shared_ptr<const model::ResponseMatch> errors = compile_errors(cluster, scope);
  if (!cluster.has_outlier_detection()) return nullptr;
  const O& proto = cluster.outlier_detection();
  scope.only(proto, {O::kConsecutive5XxFieldNumber,
                     O::kIntervalFieldNumber,
                     O::kBaseEjectionTimeFieldNumber,
                     O::kMaxEjectionPercentFieldNumber,
                     O::kEnforcingConsecutive5XxFieldNumber,
                     O::kEnforcingSuccessRateFieldNumber,
                     O::kSuccessRateMinimumHostsFieldNumber,
                     O::kSuccessRateRequestVolumeFieldNumber,
                     O::kSuccessRateStdevFactorFieldNumber,
                     O::kConsecutiveGatewayFailureFieldNumber,
                     O::kEnforcingConsecutiveGatewayFailureFieldNumber,
                     O::kSplitExternalLocalOriginErrorsFieldNumber,
                     O::kConsecutiveLocalOriginFailureFieldNumber,
                     O::kEnforcingConsecutiveLocalOriginFailureFieldNumber,
                     O::kEnforcingLocalOriginSuccessRateFieldNumber,
                     O::kFailurePercentageThresholdFieldNumber,
                     O::kEnforcingFailurePercentageFieldNumber,
                     O::kEnforcingFailurePercentageLocalOriginFieldNumber,
                     O::kFailurePercentageMinimumHostsFieldNumber,
                     O::kFailurePercentageRequestVolumeFieldNumber,
                     O::kMaxEjectionTimeFieldNumber,
                     O::kMaxEjectionTimeJitterFieldNumber,
                     O::kSuccessfulActiveHealthCheckUnejectHostFieldNumber,
                     O::kAlwaysEjectOneHostFieldNumber,
                     O::kDetectDegradedHostsFieldNumber});
  auto out = std::make_shared<model::OutlierPlan>();
  if (proto.has_interval()) out->interval = to_duration(proto.interval());
  if (proto.has_base_ejection_time()) out->base_ejection_time = to_duration(proto.base_ejection_time());
  out->max_ejection_time = proto.has_max_ejection_time() ? to_duration(proto.max_ejection_time())
                                                         : std::max(out->max_ejection_time, out->base_ejection_time);
  if (out->max_ejection_time < out->base_ejection_time) {
    scope.error(proto, O::kMaxEjectionTimeFieldNumber, "must not be below base_ejection_time");
  }
  if (proto.has_max_ejection_time_jitter()) out->max_ejection_jitter = to_duration(proto.max_ejection_time_jitter());
  take(proto.has_max_ejection_percent(), proto.max_ejection_percent(), out->max_ejection_percent);
  take(proto.has_always_eject_one_host(), proto.always_eject_one_host(), out->always_eject_one);
  out->split_local_origin = proto.split_external_local_origin_errors();
  take(proto.has_detect_degraded_hosts(), proto.detect_degraded_hosts(), out->detect_degraded);
  take(proto.has_successful_active_health_check_uneject_host(), proto.successful_active_health_check_uneject_host(),
       out->uneject_by_check);
  take(proto.has_consecutive_5xx(), proto.consecutive_5xx(), out->consecutive_5xx);
  take(proto.has_enforcing_consecutive_5xx(), proto.enforcing_consecutive_5xx(), out->enforcing_5xx);
  take(proto.has_consecutive_gateway_failure(), proto.consecutive_gateway_failure(), out->consecutive_gateway);
  take(proto.has_enforcing_consecutive_gateway_failure(), proto.enforcing_consecutive_gateway_failure(),
       out->enforcing_gateway);
  take(proto.has_consecutive_local_origin_failure(), proto.consecutive_local_origin_failure(), out->consecutive_local);
  take(proto.has_enforcing_consecutive_local_origin_failure(), proto.enforcing_consecutive_local_origin_failure(),
       out->enforcing_local);
  take(proto.has_success_rate_minimum_hosts(), proto.success_rate_minimum_hosts(), out->success_rate_hosts);
  take(proto.has_success_rate_request_volume(), proto.success_rate_request_volume(), out->success_rate_volume);
  take(proto.has_success_rate_stdev_factor(), proto.success_rate_stdev_factor(), out->success_rate_stdev_factor);
  take(proto.has_enforcing_success_rate(), proto.enforcing_success_rate(), out->enforcing_success_rate);
  take(proto.has_enforcing_local_origin_success_rate(), proto.enforcing_local_origin_success_rate(),
       out->enforcing_local_success_rate);
  take(proto.has_failure_percentage_threshold(), proto.failure_percentage_threshold(), out->failure_percentage);
  take(proto.has_failure_percentage_minimum_hosts(), proto.failure_percentage_minimum_hosts(),
       out->failure_percentage_hosts);
  take(proto.has_failure_percentage_request_volume(), proto.failure_percentage_request_volume(),
       out->failure_percentage_volume);
  take(proto.has_enforcing_failure_percentage(), proto.enforcing_failure_percentage(),
       out->enforcing_failure_percentage);
  take(proto.has_enforcing_failure_percentage_local_origin(), proto.enforcing_failure_percentage_local_origin(),
       out->enforcing_local_failure_percentage);
  out->errors = std::move(errors);
  out->event_log = open_if_named(proto, scope.outlier_log_path, scope);
  return out;
}

Rare<std::vector<std::shared_ptr<const model::HealthCheckPlan>>> compile_health_checks(const Cluster& cluster,
                                                                                       CompileScope& scope) {
  Rare<std::vector<std::shared_ptr<const model::HealthCheckPlan>>> out;
  std::set<std::string_view> names;
  for (int i = 0; i < cluster.health_checks_size(); ++i) {
    const HealthCheck& proto = cluster.health_checks(i);
    auto check = compile_check(proto, scope);
    if (proto.has_transport_socket_match_criteria()) {
      check->socket_match = match_socket(proto.transport_socket_match_criteria(), cluster.transport_socket_matches());
    }
    out.edit().push_back(std::move(check));
    if (cluster.health_checks_size() < 2) continue;
    if (proto.name().empty()) {
      scope.error(cluster, Cluster::kHealthChecksFieldNumber, "needs a name, for there are several", i);
    } else if (!names.insert(proto.name()).second) {
      scope.error(proto, HealthCheck::kNameFieldNumber, cat("'", proto.name(), "' is the name of another check"));
    }
  }
  return out;
}

std::shared_ptr<const model::EndpointCheck> compile_endpoint_check(
    const envoy::config::endpoint::v3::Endpoint& endpoint, CompileScope& scope) {
  using C = envoy::config::endpoint::v3::Endpoint::HealthCheckConfig;
  if (!endpoint.has_health_check_config()) return nullptr;
  const C& proto = endpoint.health_check_config();
  scope.only(proto, {C::kPortValueFieldNumber, C::kHostnameFieldNumber, C::kAddressFieldNumber,
                     C::kDisableActiveHealthCheckFieldNumber});
  auto out = std::make_shared<model::EndpointCheck>();
  out->off = proto.disable_active_health_check();
  out->hostname = proto.hostname();
  out->port = static_cast<uint16_t>(proto.port_value());
  if (proto.has_address()) out->address = compile_address(proto.address(), scope);
  if (out->port != 0 && !endpoint.address().has_socket_address() && !proto.has_address()) {
    scope.error(proto, C::kPortValueFieldNumber, "is for IP addresses");
  }
  return out;
}

}  // namespace sluice::config
