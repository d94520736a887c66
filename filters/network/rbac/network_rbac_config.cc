#include "filters/network/rbac/network_rbac_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/rbac_compiler.h"
#include "envoy/extensions/filters/network/rbac/v3/rbac.pb.h"
#include "filters/network/rbac/network_rbac.h"

namespace sluice::filters::network_rbac {
namespace {

using Proto = envoy::extensions::filters::network::rbac::v3::RBAC;

// A connection has no headers.
void refuse_headers(const envoy::config::rbac::v3::Permission& rule, config::CompileScope& scope) {
  using P = envoy::config::rbac::v3::Permission;
  if (rule.has_header()) scope.error(rule, P::kHeaderFieldNumber, "connections have no headers");
  if (rule.has_not_rule()) refuse_headers(rule.not_rule(), scope);
  for (const P& one : rule.and_rules().rules()) refuse_headers(one, scope);
  for (const P& one : rule.or_rules().rules()) refuse_headers(one, scope);
}

void refuse_headers(const envoy::config::rbac::v3::Principal& who, config::CompileScope& scope) {
  using P = envoy::config::rbac::v3::Principal;
  if (who.has_header()) scope.error(who, P::kHeaderFieldNumber, "connections have no headers");
  if (who.has_not_id()) refuse_headers(who.not_id(), scope);
  for (const P& one : who.and_ids().ids()) refuse_headers(one, scope);
  for (const P& one : who.or_ids().ids()) refuse_headers(one, scope);
}

void refuse_headers(const envoy::config::rbac::v3::RBAC& rules, config::CompileScope& scope) {
  for (const auto& [name, policy] : rules.policies()) {
    for (const auto& permission : policy.permissions()) refuse_headers(permission, scope);
    for (const auto& principal : policy.principals()) refuse_headers(principal, scope);
  }
}

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message,
                                                        config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  refuse_headers(proto.rules(), scope);
  refuse_headers(proto.shadow_rules(), scope);
  auto out = std::make_shared<Settings>();
  // Where both forms are given the matcher counts, as in Envoy.
  if (proto.has_rules()) out->rules = config::compile_rbac(proto.rules(), scope);
  if (proto.has_matcher())
    out->rules = config::compile_rbac(proto.matcher(), config::TreeInputs::kConnectionRbac, scope);
  if (proto.has_shadow_rules()) out->shadow_rules = config::compile_rbac(proto.shadow_rules(), scope);
  if (proto.has_shadow_matcher())
    out->shadow_rules = config::compile_rbac(proto.shadow_matcher(), config::TreeInputs::kConnectionRbac, scope);
  out->stat_prefix = cat(proto.stat_prefix(), proto.stat_prefix().ends_with('.') ? "" : ".", "rbac.");
  out->shadow_prefix = proto.shadow_rules_stat_prefix();
  out->each_time = proto.enforcement_type() == Proto::CONTINUOUS;
  if (proto.has_delay_deny()) out->delay = config::to_duration(proto.delay_deny());
  return std::make_shared<const NetworkRbac>(std::move(out));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.rbac.v3.RBAC", .compile = &compile};
}

}  // namespace sluice::filters::network_rbac
