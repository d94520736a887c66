#include "filters/http/csrf/csrf_config.h"

#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/filters/http/csrf/v3/csrf.pb.h"
#include "filters/http/csrf/csrf.h"

namespace sluice::filters::csrf {
namespace {

using config::CompileScope;
using envoy::extensions::filters::http::csrf::v3::CsrfPolicy;
using google::protobuf::Message;

std::shared_ptr<const Policy> compile_policy(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const CsrfPolicy&>(message);
  auto out = std::make_shared<Policy>();
  out->enabled = config::compile_fraction(proto.filter_enabled(), scope);
  if (proto.has_shadow_enabled()) out->shadow = config::compile_fraction(proto.shadow_enabled(), scope);
  for (const auto& origin : proto.additional_origins()) {
    out->more_origins.push_back(config::compile_string_matcher(origin, scope));
  }
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const CsrfFactory>(scope.filter_name, compile_policy(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_policy(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.csrf.v3.CsrfPolicy",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.csrf.v3.CsrfPolicy",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::csrf
