#include "config/hash_policy_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"

namespace sluice::config {
namespace {

using Proto = envoy::config::route::v3::RouteAction::HashPolicy;
using By = model::HashPolicy::By;

void compile_cookie(const Proto::Cookie& proto, model::HashPolicy& out) {
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
std::optional<model::HashPolicy> compile_one(const Proto& proto, CompileScope& scope) {
  model::HashPolicy out;
  out.terminal = proto.terminal();
  switch (proto.policy_specifier_case()) {
    case Proto::kHeader:
      out.name = to_lower(proto.header().header_name());
      if (proto.header().has_regex_rewrite()) out.rewrite = compile_regex_rewrite(proto.header().regex_rewrite(), scope);
      return out;
    case Proto::kCookie: compile_cookie(proto.cookie(), out); return out;
    case Proto::kConnectionProperties:
      if (!proto.connection_properties().source_ip()) return std::nullopt;
      out.by = By::kSourceIp;
      return out;
    case Proto::kQueryParameter:
      out.by = By::kQueryParameter;
      out.name = proto.query_parameter().name();
      return out;
    case Proto::kFilterState:
      out.by = By::kFilterState;
      out.name = proto.filter_state().key();
      return out;
    case Proto::POLICY_SPECIFIER_NOT_SET: break;  // validation has told
  }
  return std::nullopt;
}

}  // namespace

std::vector<model::HashPolicy> compile_hash_policies(const google::protobuf::RepeatedPtrField<Proto>& policies,
                                                     CompileScope& scope) {
  std::vector<model::HashPolicy> out;
  for (const Proto& proto : policies) {
    if (auto one = compile_one(proto, scope)) out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace sluice::config
