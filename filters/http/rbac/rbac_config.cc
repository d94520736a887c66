#include "filters/http/rbac/rbac_config.h"

#include "config/compile_scope.h"
#include "config/rbac_compiler.h"
#include "envoy/extensions/filters/http/rbac/v3/rbac.pb.h"
#include "filters/http/rbac/rbac.h"

namespace sluice::filters::rbac {
namespace {

namespace v3 = envoy::extensions::filters::http::rbac::v3;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const Settings> compile_settings(const v3::RBAC& proto, CompileScope& scope) {
  auto out = std::make_shared<Settings>();
  // Where both forms are given the matcher counts, as in Envoy.
  if (proto.has_rules()) out->rules = config::compile_rbac(proto.rules(), scope);
  if (proto.has_matcher()) out->rules = config::compile_rbac(proto.matcher(), config::TreeInputs::kRbac, scope);
  if (proto.has_shadow_rules()) out->shadow_rules = config::compile_rbac(proto.shadow_rules(), scope);
  if (proto.has_shadow_matcher())
    out->shadow_rules = config::compile_rbac(proto.shadow_matcher(), config::TreeInputs::kRbac, scope);
  out->stat_prefix = proto.rules_stat_prefix();
  out->shadow_stat_prefix = proto.shadow_rules_stat_prefix();
  out->track_rules = proto.track_per_rule_stats();
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const RbacFactory>(scope.filter_name,
                                             compile_settings(static_cast<const v3::RBAC&>(message), scope));
}

// Without rbac the filter is off on that route.
std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_settings(static_cast<const v3::RBACPerRoute&>(message).rbac(), scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.rbac.v3.RBAC",
          .compile = &compile,
          .upstream = true,
          .route_type = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::rbac
