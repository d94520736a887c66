#include "config/hash_policy_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"

namespace sluice::config {
namespace {

using HashPolicyProto = envoy::config::route::v3::RouteAction::HashPolicy;
using By = model::HashPolicy::By;

void compile_cookie(const HashPolicyProto::Cookie& proto, model::HashPolicy& out) {
  out.by = By::kCookie;
  out.name = proto.name();
  out.path = proto.path();
  if (proto.has_ttl()) out.ttl = to_duration(proto.ttl());
  for (const auto& attribute : proto.attributes()) {
    append(out.attributes, "; ", attribute.name());
    if (!attribute.value().empty()) append(out.attributes, "=", attribute.value());
  }
}

// None for one that never finds a hash.
std::optional<model::HashPolicy> compile_one(const HashPolicyProto& proto, CompileScope& scope) {
  model::HashPolicy out;
  out.terminal = proto.terminal();
  switch (proto.policy_specifier_case()) {
    case HashPolicyProto::kHeader:
      out.name = to_lower(proto.header().header_name());
      if (proto.header().has_regex_rewrite())
        out.rewrite = compile_regex_rewrite(proto.header().regex_rewrite(), scope);
      return out;
    case HashPolicyProto::kCookie:
      compile_cookie(proto.cookie(), out);
      return out;
    case HashPolicyProto::kConnectionProperties:
      if (!proto.connection_properties().source_ip()) return std::nullopt;
      out.by = By::kSourceIp;
      return out;
    case HashPolicyProto::kQueryParameter:
      out.by = By::kQueryParameter;
      out.name = proto.query_parameter().name();
      return out;
    case HashPolicyProto::kFilterState:
      out.by = By::kFilterState;
      out.name = proto.filter_state().key();
      return out;
    case HashPolicyProto::POLICY_SPECIFIER_NOT_SET:
      break;  // validation has told
  }
  return std::nullopt;
}

}  // namespace

std::vector<model::HashPolicy> compile_hash_policies(
    const google::protobuf::RepeatedPtrField<HashPolicyProto>& policies, CompileScope& scope) {
  std::vector<model::HashPolicy> out;
  for (const HashPolicyProto& proto : policies) {
    if (auto one = compile_one(proto, scope)) out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace sluice::config
