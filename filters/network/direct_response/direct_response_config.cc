#include "filters/network/direct_response/direct_response_config.h"

#include "config/compile_scope.h"
#include "config/core_compiler.h"
#include "envoy/extensions/filters/network/direct_response/v3/config.pb.h"
#include "filters/network/direct_response/direct_response.h"

namespace sluice::filters::direct_response {
namespace {

using envoy::extensions::filters::network::direct_response::v3::Config;

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message,
                                                        config::CompileScope& scope) {
  const auto& proto = static_cast<const Config&>(message);
  std::optional<std::string> text = std::string();
  if (proto.has_response()) text = config::read_data_source(proto.response(), scope);
  if (!text) return nullptr;
  return std::make_shared<const DirectResponse>(std::move(*text));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.direct_response.v3.Config", .compile = &compile, .terminal = true};
}

}  // namespace sluice::filters::direct_response
