#include "filters/builtin.h"

#include "filters/http/buffer/buffer_config.h"
#include "filters/http/fault/fault_config.h"
#include "filters/http/header_mutation/header_mutation_config.h"
#include "filters/http/local_ratelimit/local_ratelimit_config.h"
#include "filters/http/router/router_config.h"
#include "filters/network/http_connection_manager/http_connection_manager_config.h"

namespace sluice::filters {

config::Extensions builtin() {
  config::Extensions extensions;
  extensions.add(http_connection_manager::extension());
  extensions.add(buffer::extension());
  extensions.add(fault::extension());
  extensions.add(local_ratelimit::extension());
  extensions.add(header_mutation::extension());
  extensions.add(router::extension());
  return extensions;
}

}  // namespace sluice::filters
