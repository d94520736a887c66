#include "filters/builtin.h"

#include "filters/http/api_key_auth/api_key_auth_config.h"
#include "filters/http/basic_auth/basic_auth_config.h"
#include "filters/http/buffer/buffer_config.h"
#include "filters/http/compressor/compressor_config.h"
#include "filters/http/cors/cors_config.h"
#include "filters/http/csrf/csrf_config.h"
#include "filters/http/custom_response/custom_response_config.h"
#include "filters/http/decompressor/decompressor_config.h"
#include "filters/http/fault/fault_config.h"
#include "filters/http/header_mutation/header_mutation_config.h"
#include "filters/http/header_to_metadata/header_to_metadata_config.h"
#include "filters/http/health_check/health_check_config.h"
#include "filters/http/ip_tagging/ip_tagging_config.h"
#include "filters/http/json_to_metadata/json_to_metadata_config.h"
#include "filters/http/local_ratelimit/local_ratelimit_config.h"
#include "filters/http/match_delegate/match_delegate_config.h"
#include "filters/http/rbac/rbac_config.h"
#include "filters/http/router/router_config.h"
#include "filters/http/set_filter_state/set_filter_state_config.h"
#include "filters/http/set_metadata/set_metadata_config.h"
#include "filters/network/http_connection_manager/http_connection_manager_config.h"

namespace sluice::filters {

config::Extensions builtin() {
  config::Extensions extensions;
  extensions.add(http_connection_manager::extension());
  extensions.add(buffer::extension());
  extensions.add(fault::extension());
  extensions.add(local_ratelimit::extension());
  extensions.add(header_mutation::extension());
  extensions.add(api_key_auth::extension());
  extensions.add(basic_auth::extension());
  extensions.add(compressor::extension());
  extensions.add(decompressor::extension());
  extensions.add(cors::extension());
  extensions.add(csrf::extension());
  extensions.add(custom_response::extension());
  extensions.add(header_to_metadata::extension());
  extensions.add(health_check::extension());
  extensions.add(ip_tagging::extension());
  extensions.add(json_to_metadata::extension());
  extensions.add(match_delegate::extension());
  extensions.add(rbac::extension());
  extensions.add(set_filter_state::extension());
  extensions.add(set_metadata::extension());
  extensions.add(match_delegate::composite_extension());
  extensions.add(router::extension());
  return extensions;
}

}  // namespace sluice::filters
