#include "filters/builtin.h"

#include "filters/http/api_key_auth/api_key_auth_config.h"
#include "filters/http/bandwidth_limit/bandwidth_limit_config.h"
#include "filters/http/basic_auth/basic_auth_config.h"
#include "filters/http/buffer/buffer_config.h"
#include "filters/http/compressor/compressor_config.h"
#include "filters/http/cors/cors_config.h"
#include "filters/http/csrf/csrf_config.h"
#include "filters/http/custom_response/custom_response_config.h"
#include "filters/http/decompressor/decompressor_config.h"
#include "filters/http/dynamic_forward_proxy/dynamic_forward_proxy_config.h"
#include "filters/http/fault/fault_config.h"
#include "filters/http/grpc_stats/grpc_stats_config.h"
#include "filters/http/grpc_web/grpc_web_config.h"
#include "filters/http/header_mutation/header_mutation_config.h"
#include "filters/http/header_to_metadata/header_to_metadata_config.h"
#include "filters/http/health_check/health_check_config.h"
#include "filters/http/ip_tagging/ip_tagging_config.h"
#include "filters/http/json_to_metadata/json_to_metadata_config.h"
#include "filters/http/local_ratelimit/local_ratelimit_config.h"
#include "filters/http/match_delegate/match_delegate_config.h"
#include "filters/http/on_demand/on_demand_config.h"
#include "filters/http/rbac/rbac_config.h"
#include "filters/http/router/router_config.h"
#include "filters/http/set_filter_state/set_filter_state_config.h"
#include "filters/http/set_metadata/set_metadata_config.h"
#include "filters/http/stateful_session/stateful_session_config.h"
#include "filters/listener/http_inspector/http_inspector_config.h"
#include "filters/listener/local_ratelimit/local_ratelimit_config.h"
#include "filters/listener/original_dst/original_dst_config.h"
#include "filters/listener/proxy_protocol/proxy_protocol_config.h"
#include "filters/listener/tls_inspector/tls_inspector_config.h"
#include "filters/network/connection_limit/connection_limit_config.h"
#include "filters/network/direct_response/direct_response_config.h"
#include "filters/network/echo/echo_config.h"
#include "filters/network/http_connection_manager/http_connection_manager_config.h"
#include "filters/network/local_ratelimit/local_ratelimit_config.h"
#include "filters/network/rbac/network_rbac_config.h"
#include "filters/network/set_filter_state/set_filter_state_config.h"
#include "filters/network/sni_cluster/sni_cluster_config.h"
#include "filters/network/tcp_proxy/tcp_proxy_config.h"

namespace sluice::filters {

config::Extensions builtin() {
  config::Extensions extensions;
  extensions.add(http_connection_manager::extension());
  extensions.add(connection_limit::extension());
  extensions.add(direct_response::extension());
  extensions.add(echo::extension());
  extensions.add(network_local_ratelimit::extension());
  extensions.add(network_rbac::extension());
  extensions.add(network_set_filter_state::extension());
  extensions.add(sni_cluster::extension());
  extensions.add(tcp_proxy::extension());
  extensions.add(http_inspector::extension());
  extensions.add(listener_local_ratelimit::extension());
  extensions.add(original_dst::extension());
  extensions.add(proxy_protocol::extension());
  extensions.add(tls_inspector::extension());
  extensions.add(buffer::extension());
  extensions.add(fault::extension());
  extensions.add(local_ratelimit::extension());
  extensions.add(grpc_stats::extension());
  extensions.add(grpc_web::extension());
  extensions.add(header_mutation::extension());
  extensions.add(api_key_auth::extension());
  extensions.add(bandwidth_limit::extension());
  extensions.add(basic_auth::extension());
  extensions.add(compressor::extension());
  extensions.add(decompressor::extension());
  extensions.add(dynamic_forward_proxy::extension());
  extensions.add(cors::extension());
  extensions.add(csrf::extension());
  extensions.add(custom_response::extension());
  extensions.add(header_to_metadata::extension());
  extensions.add(health_check::extension());
  extensions.add(ip_tagging::extension());
  extensions.add(json_to_metadata::extension());
  extensions.add(match_delegate::extension());
  extensions.add(on_demand::extension());
  extensions.add(rbac::extension());
  extensions.add(set_filter_state::extension());
  extensions.add(set_metadata::extension());
  extensions.add(stateful_session::extension());
  extensions.add(match_delegate::composite_extension());
  extensions.add(router::extension());
  return extensions;
}

}  // namespace sluice::filters
