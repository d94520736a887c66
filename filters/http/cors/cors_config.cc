#include "filters/http/cors/cors_config.h"

#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/filters/http/cors/v3/cors.pb.h"
#include "filters/http/cors/cors.h"

namespace sluice::filters::cors {
namespace {

namespace v3 = envoy::extensions::filters::http::cors::v3;
using config::CompileScope;
using google::protobuf::Message;

std::optional<bool> maybe(bool has, bool value) { return has ? std::optional(value) : std::nullopt; }

std::shared_ptr<const model::FilterConfig> compile(const Message&, CompileScope& scope) {
  return std::make_shared<const CorsFactory>(scope.filter_name);
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::CorsPolicy&>(message);
  auto out = std::make_shared<Policy>();
  for (const auto& origin : proto.allow_origin_string_match()) {
    out->origins.push_back(config::compile_string_matcher(origin, scope));
  }
  out->methods = proto.allow_methods();
  out->headers = proto.allow_headers();
  out->exposed = proto.expose_headers();
  out->max_age = proto.max_age();
  out->credentials = maybe(proto.has_allow_credentials(), proto.allow_credentials().value());
  out->private_network = maybe(proto.has_allow_private_network_access(), proto.allow_private_network_access().value());
  out->forward_preflights =
      maybe(proto.has_forward_not_matching_preflights(), proto.forward_not_matching_preflights().value());
  out->enabled.numerator = 100;
  if (proto.has_filter_enabled()) out->enabled = config::compile_fraction(proto.filter_enabled(), scope);
  if (proto.has_shadow_enabled()) out->shadow = config::compile_fraction(proto.shadow_enabled(), scope);
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.cors.v3.Cors",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.cors.v3.CorsPolicy",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::cors
