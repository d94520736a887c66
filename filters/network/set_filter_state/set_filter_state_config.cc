#include "filters/network/set_filter_state/set_filter_state_config.h"

#include "config/compile_scope.h"
#include "config/filter_state_compiler.h"
#include "envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.pb.h"
#include "filters/network/set_filter_state/set_filter_state.h"

namespace sluice::filters::network_set_filter_state {
namespace {

using envoy::extensions::filters::network::set_filter_state::v3::Config;

template <typename Values>
std::vector<format::FilterStateValue> compile_values(const Values& values, config::CompileScope& scope) {
  std::vector<format::FilterStateValue> out;
  for (const auto& proto : values) {
    if (auto value = config::compile_filter_state_value(proto, scope)) out.push_back(*std::move(value));
  }
  return out;
}

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message,
                                                        config::CompileScope& scope) {
  const auto& proto = static_cast<const Config&>(message);
  auto out = std::make_shared<Moments>();
  out->on_connection = compile_values(proto.on_new_connection(), scope);
  out->on_handshake = compile_values(proto.on_downstream_tls_handshake(), scope);
  out->on_data = compile_values(proto.on_downstream_data(), scope);
  return std::make_shared<const SetFilterState>(std::move(out));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.set_filter_state.v3.Config", .compile = &compile};
}

}  // namespace sluice::filters::network_set_filter_state
