#include "exporters/builtin.h"

#include "exporters/opentelemetry_config.h"
#include "exporters/zipkin_config.h"

namespace sluice::exporters {

void add_to(config::Extensions& extensions) {
  extensions.add(opentelemetry());
  extensions.add(zipkin());
}

}  // namespace sluice::exporters
