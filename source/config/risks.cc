#include "config/risks.h"

#include <utility>

#include "base/strings.h"
#include "config/document.h"
#include "envoy/config/trace/v3/opentelemetry.pb.h"
#include "envoy/extensions/access_loggers/grpc/v3/als.pb.h"
#include "envoy/extensions/access_loggers/open_telemetry/v3/logs_service.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "net/address.h"

namespace sluice::config {
namespace {

namespace grpc = envoy::extensions::access_loggers::grpc::v3;
namespace tls = envoy::extensions::transport_sockets::tls::v3;
using envoy::config::accesslog::v3::AccessLog;
using envoy::config::bootstrap::v3::Admin;
using envoy::config::bootstrap::v3::Bootstrap;
using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::GrpcService;
using envoy::config::core::v3::HttpUri;
using envoy::config::core::v3::TransportSocket;
using envoy::config::listener::v3::FilterChain;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::Route;
using google::protobuf::Message;
using OpenTelemetry = envoy::config::trace::v3::OpenTelemetryConfig;
using OtlpLog = envoy::extensions::access_loggers::open_telemetry::v3::OpenTelemetryAccessLogConfig;
using TcpProxy = envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;
using HttpOptions = envoy::config::core::v3::HttpProtocolOptions;
using UpstreamHttpOptions = envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
using Hcm = envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

bool is_zero(const google::protobuf::Duration& duration) { return duration.seconds() == 0 && duration.nanos() == 0; }

// One walk over the bootstrap. Thread: main.
class RiskFinder {
 public:
  explicit RiskFinder(const Document& document) : document_(document) {}

  std::vector<Risk> find() {
    const Bootstrap& bootstrap = document_.bootstrap;
    look_at(bootstrap.admin());
    for (const Listener& listener : bootstrap.static_resources().listeners()) look_at(listener);
    for (const Cluster& cluster : bootstrap.static_resources().clusters()) look_at(cluster);
    if (edges_ > 0 && !limits_connections(bootstrap)) {
      tell("no-connection-limit", bootstrap,
           "nothing limits the connections of clients at an edge; set overload_manager with the resource monitor "
           "envoy.resource_monitors.global_downstream_max_connections");
    }
    if (!bootstrap.perf_tracing_file_path().empty()) {
      tell("trace-is-not-written", bootstrap, Bootstrap::kPerfTracingFilePathFieldNumber,
           "Perfetto's trace is not built in, as in released Envoys, and this file is not written; remove it");
    }
    return std::move(risks_);
  }

 private:
  void tell(std::string rule, const Message& message, std::string text) {
    risks_.push_back({std::move(rule), document_.map.error(message, std::move(text))});
  }
  void tell(std::string rule, const Message& message, int field, std::string text) {
    risks_.push_back({std::move(rule), document_.map.error(message, field, std::move(text))});
  }
  template <typename T>
  const T* content(const google::protobuf::Any& any) const {
    const Message* message = document_.map.unpacked(any);
    return message != nullptr && message->GetDescriptor() == T::descriptor() ? static_cast<const T*>(message) : nullptr;
  }

  static bool limits_connections(const Bootstrap& bootstrap) {
    for (const auto& monitor : bootstrap.overload_manager().resource_monitors()) {
      if (monitor.name().find("downstream_max_connections") != std::string::npos) return true;
    }
    return false;
  }

  void look_at(const Admin& admin) {
    const std::string& host = admin.address().socket_address().address();
    if (host.empty()) return;
    const Result<net::Address> address = net::Address::from_ip(host, 0);
    if (address && !address->is_loopback()) {
      tell("admin-is-public", admin, Admin::kAddressFieldNumber,
           "everybody who reaches this address can stop the proxy and read its configuration; set an address of the "
           "loopback, or allow_paths");
    }
  }

  void look_at(const Listener& listener) {
    for (const AccessLog& log : listener.access_log()) look_at(log);
    for (const FilterChain& chain : listener.filter_chains()) look_at(chain, listener);
    if (listener.has_default_filter_chain()) look_at(listener.default_filter_chain(), listener);
  }

  void look_at(const FilterChain& chain, const Listener& listener) {
    look_at_server_tls(chain.transport_socket());
    if (content<tls::DownstreamTlsContext>(chain.transport_socket().typed_config()) != nullptr &&
        is_zero(chain.transport_socket_connect_timeout())) {
      tell("no-handshake-timeout", chain,
           "a client may begin a TLS handshake and never end it, and holds a connection; set "
           "transport_socket_connect_timeout to 10s");
    }
    for (const auto& filter : chain.filters()) {
      if (const auto* hcm = content<Hcm>(filter.typed_config())) look_at(*hcm, listener);
      if (const auto* tcp = content<TcpProxy>(filter.typed_config())) {
        for (const AccessLog& log : tcp->access_log()) look_at(log);
      }
    }
  }

  void look_at(const AccessLog& log) {
    if (const auto* http = content<grpc::HttpGrpcAccessLogConfig>(log.typed_config())) {
      look_at(http->common_config().grpc_service());
    } else if (const auto* tcp = content<grpc::TcpGrpcAccessLogConfig>(log.typed_config())) {
      look_at(tcp->common_config().grpc_service());
    } else if (const auto* otlp = content<OtlpLog>(log.typed_config())) {
      look_at(otlp->has_common_config() ? otlp->common_config().grpc_service() : otlp->grpc_service());
      look_at(otlp->http_service().http_uri());
    }
  }

  void look_at(const GrpcService& service) {
    using EnvoyGrpc = GrpcService::EnvoyGrpc;
    if (service.has_envoy_grpc()) {
      require(service.envoy_grpc(), EnvoyGrpc::kClusterNameFieldNumber, service.envoy_grpc().cluster_name());
    }
  }
  void look_at(const HttpUri& uri) {
    if (!uri.cluster().empty()) require(uri, HttpUri::kClusterFieldNumber, uri.cluster());
  }

  // Of a collector. Its cluster is no error when it is not there, for a control plane may bring it.
  void require(const Message& message, int field, const std::string& name) {
    for (const Cluster& cluster : document_.bootstrap.static_resources().clusters()) {
      if (cluster.name() == name) return;
    }
    tell("collector-is-not-there", message, field,
         cat("there is no cluster '", name,
             "', and what is meant for it is dropped until a control plane brings it; add "
             "it to static_resources.clusters"));
  }

  void look_at(const Hcm& hcm, const Listener& listener) {
    for (const AccessLog& log : hcm.access_log()) look_at(log);
    if (const auto* tracer = content<OpenTelemetry>(hcm.tracing().provider().typed_config())) {
      look_at(tracer->grpc_service());
      look_at(tracer->http_service().http_uri());
    }
    if (hcm.use_remote_address().value()) look_at_edge(hcm, listener);
    if (hcm.has_stream_idle_timeout() && is_zero(hcm.stream_idle_timeout())) {
      tell("no-stream-idle-timeout", hcm, Hcm::kStreamIdleTimeoutFieldNumber,
           "a request whose peer went away without a word stays for ever; set stream_idle_timeout above 0s");
    }
    for (const auto& host : hcm.route_config().virtual_hosts()) {
      for (const Route& route : host.routes()) look_at(route);
    }
  }

  // use_remote_address says that clients come from everywhere.
  void look_at_edge(const Hcm& hcm, const Listener& listener) {
    ++edges_;
    if (!hcm.has_request_headers_timeout() && !hcm.has_request_timeout()) {
      tell("no-request-timeout", hcm,
           "a client may take its time to send a request, and hold a connection with it; set request_headers_timeout "
           "(10s) or request_timeout");
    }
    if (!listener.has_per_connection_buffer_limit_bytes()) {
      tell("large-connection-buffers", listener,
           "each connection may buffer 1 MiB, Envoy's default; set per_connection_buffer_limit_bytes to 32768 at an "
           "edge");
    }
    const auto& http2 = hcm.http2_protocol_options();
    if (hcm.codec_type() != Hcm::HTTP1 && !http2.has_initial_stream_window_size()) {
      tell("large-http2-windows", hcm,
           "a client may send 16 MiB before anybody looks at them; set http2_protocol_options with "
           "initial_stream_window_size 65536 and initial_connection_window_size 1048576");
    }
    if (hcm.codec_type() != Hcm::HTTP1 && !http2.has_max_concurrent_streams()) {
      tell("many-http2-streams", hcm,
           "one connection may have 1024 requests at once; set http2_protocol_options.max_concurrent_streams to 100");
    }
    if (hcm.common_http_protocol_options().headers_with_underscores_action() == HttpOptions::ALLOW) {
      tell("underscores-in-names", hcm,
           "many applications take x_user for x-user, which rules on headers do not; set "
           "common_http_protocol_options.headers_with_underscores_action to REJECT_REQUEST");
    }
    if (hcm.forward_client_cert_details() == Hcm::ALWAYS_FORWARD_ONLY) {
      tell("client-certificates-are-hearsay", hcm, Hcm::kForwardClientCertDetailsFieldNumber,
           "upstreams are told of any certificate that a client claims in x-forwarded-client-cert; set SANITIZE_SET");
    }
    if (!hcm.has_normalize_path()) {
      tell("path-is-not-normalised", hcm,
           "rules on paths can be gone round with /a/../b; set normalize_path and merge_slashes");
    }
  }

  void look_at(const Route& route) {
    if (route.route().has_timeout() && is_zero(route.route().timeout())) {
      tell("no-route-timeout", route.route(), envoy::config::route::v3::RouteAction::kTimeoutFieldNumber,
           "0s waits for ever for an upstream that does not answer; leave it out for 15s, or set idle_timeout beside "
           "it");
    }
  }

  // Of both sides.
  void look_at(const tls::CommonTlsContext& common) {
    using Parameters = tls::TlsParameters;
    const auto least = common.tls_params().tls_minimum_protocol_version();
    if (least == Parameters::TLSv1_0 || least == Parameters::TLSv1_1) {
      tell("tls-is-old", common.tls_params(), Parameters::kTlsMinimumProtocolVersionFieldNumber,
           "versions below 1.2 are deprecated (RFC 8996) and their ciphers weak; set TLSv1_2, or leave it out");
    }
    if (common.has_key_log()) {
      tell("keys-are-logged", common, tls::CommonTlsContext::kKeyLogFieldNumber,
           "whoever reads this file reads what the connections carry; remove key_log where traffic is real");
    }
    const auto& validation = common.has_combined_validation_context()
                                 ? common.combined_validation_context().default_validation_context()
                                 : common.validation_context();
    if (validation.allow_expired_certificate()) {
      tell("expired-certificates-are-taken", validation,
           tls::CertificateValidationContext::kAllowExpiredCertificateFieldNumber,
           "a certificate whose key was lost long ago is good for ever; leave allow_expired_certificate out");
    }
  }

  void look_at_server_tls(const TransportSocket& socket) {
    const auto* context = content<tls::DownstreamTlsContext>(socket.typed_config());
    if (context == nullptr) return;
    look_at(context->common_tls_context());
    if (context->require_sni().value()) {
      tell("clients-without-a-name-are-served", *context, tls::DownstreamTlsContext::kRequireSniFieldNumber,
           "require_sni refuses nobody, as in Envoy; let filter_chain_match.server_names say which names are served");
    }
    if (context->require_client_certificate().value() && context->common_tls_context().validation_context_type_case() ==
                                                             tls::CommonTlsContext::VALIDATION_CONTEXT_TYPE_NOT_SET) {
      tell("client-certificates-are-not-checked", *context,
           tls::DownstreamTlsContext::kRequireClientCertificateFieldNumber,
           "without a validation context no certificate is asked for and everybody is let in; set "
           "common_tls_context.validation_context with trusted_ca");
    }
  }

  void look_at(const Cluster& cluster) {
    look_at_outliers(cluster);
    const bool original = cluster.type() == Cluster::ORIGINAL_DST && !cluster.has_cluster_type();
    if (cluster.has_original_dst_lb_config() && !original) {
      tell("settings-say-nothing", cluster, Cluster::kOriginalDstLbConfigFieldNumber,
           "is read for clusters of the type ORIGINAL_DST alone; set type to that, or remove it");
    } else if (cluster.original_dst_lb_config().use_http_header()) {
      tell("clients-choose-the-upstream", cluster, Cluster::kOriginalDstLbConfigFieldNumber,
           "whoever may send the header chooses which address and port is connected to; remove it from what clients "
           "send, "
           "or leave use_http_header out");
    }
    const auto* context = content<tls::UpstreamTlsContext>(cluster.transport_socket().typed_config());
    if (context == nullptr) return;
    const auto& common = context->common_tls_context();
    look_at(common);
    if (context->allow_renegotiation()) {
      tell("upstream-may-renegotiate", *context, tls::UpstreamTlsContext::kAllowRenegotiationFieldNumber,
           "renegotiation changes who the peer is in the middle of a connection; leave allow_renegotiation out");
    }
    const bool none = common.validation_context_type_case() == tls::CommonTlsContext::VALIDATION_CONTEXT_TYPE_NOT_SET;
    if (none ||
        common.validation_context().trust_chain_verification() == tls::CertificateValidationContext::ACCEPT_UNTRUSTED) {
      tell("upstream-is-not-verified", *context,
           "any certificate is taken for the upstream's; set common_tls_context.validation_context with trusted_ca and "
           "match_typed_subject_alt_names");
    } else if (common.has_validation_context() && !names_its_peer(*context, cluster)) {
      tell("upstream-name-is-not-verified", *context,
           "every certificate of the CA is taken for the upstream's, whomever it was made for; set "
           "common_tls_context.validation_context.match_typed_subject_alt_names, or auto_sni_san_validation");
    }
  }

  bool names_its_peer(const tls::UpstreamTlsContext& context, const Cluster& cluster) const {
    const auto& validation = context.common_tls_context().validation_context();
    if (validation.match_typed_subject_alt_names_size() > 0 || validation.match_subject_alt_names_size() > 0 ||
        validation.verify_certificate_hash_size() > 0 || validation.verify_certificate_spki_size() > 0 ||
        context.auto_sni_san_validation()) {
      return true;
    }
    if (cluster.upstream_http_protocol_options().auto_san_validation()) return true;
    for (const auto& [name, any] : cluster.typed_extension_protocol_options()) {
      const auto* options = content<UpstreamHttpOptions>(any);
      if (options != nullptr && options->upstream_http_protocol_options().auto_san_validation()) return true;
    }
    return false;
  }

  // One more may be ejected only if all together are at most max_ejection_percent: of few hosts not a single one.
  void look_at_outliers(const Cluster& cluster) {
    if (!cluster.has_outlier_detection() || cluster.type() != Cluster::STATIC || cluster.has_cluster_type()) return;
    const auto& outlier = cluster.outlier_detection();
    const uint32_t percent = outlier.has_max_ejection_percent() ? outlier.max_ejection_percent().value() : 10;
    uint32_t hosts = 0;
    for (const auto& locality : cluster.load_assignment().endpoints()) {
      hosts += static_cast<uint32_t>(locality.lb_endpoints_size());
    }
    if (hosts == 0 || percent * hosts >= 100 || outlier.always_eject_one_host().value()) return;
    tell("nothing-is-ejected", cluster, Cluster::kOutlierDetectionFieldNumber,
         cat("one of ", hosts, " hosts is more than max_ejection_percent (", percent,
             "), so none is ever ejected; set max_ejection_percent, or always_eject_one_host"));
  }

  const Document& document_;
  std::vector<Risk> risks_;
  size_t edges_ = 0;
};

}  // namespace

std::vector<Risk> find_risks(const Document& document) { return RiskFinder(document).find(); }

}  // namespace sluice::config
