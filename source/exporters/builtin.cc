#include "exporters/builtin.h"

#include "exporters/als_config.h"
#include "exporters/opentelemetry_config.h"
#include "exporters/otlp_log_config.h"
#include "exporters/zipkin_config.h"

namespace sluice::exporters {

void add_to(config::Extensions& extensions) {
  extensions.add(http_als());
  extensions.add(opentelemetry());
  extensions.add(otlp_log());
  extensions.add(tcp_als());
  extensions.add(zipkin());
}

}  // namespace sluice::exporters
