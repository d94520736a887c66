#include "filters/http/set_filter_state/set_filter_state_config.h"

#include "config/compile_scope.h"
#include "config/filter_state_compiler.h"
#include "envoy/extensions/filters/http/set_filter_state/v3/set_filter_state.pb.h"
#include "filters/http/set_filter_state/set_filter_state.h"

namespace sluice::filters::set_filter_state {
namespace {

using config::CompileScope;
using envoy::extensions::filters::http::set_filter_state::v3::Config;
using google::protobuf::Message;

std::shared_ptr<const Objects> compile_objects(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Config&>(message);
  auto out = std::make_shared<Objects>();
  out->reroutes = proto.clear_route_cache();
  for (const auto& one : proto.on_request_headers()) {
    if (auto value = config::compile_filter_state_value(one, scope)) out->values.push_back(*std::move(value));
  }
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const SetFilterStateFactory>(scope.filter_name, compile_objects(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_objects(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.set_filter_state.v3.Config",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.set_filter_state.v3.Config",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::set_filter_state
