#include "filters/network/echo/echo_config.h"

#include "config/compile_scope.h"
#include "filters/network/echo/echo.h"

namespace sluice::filters::echo {

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.echo.v3.Echo",
          .compile = [](const google::protobuf::Message&, config::CompileScope&)
              -> std::shared_ptr<const model::NetworkFilterPlan> { return std::make_shared<const Echo>(); },
          .terminal = true};
}

}  // namespace sluice::filters::echo
