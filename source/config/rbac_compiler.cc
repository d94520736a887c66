#include "config/rbac_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"
#include "config/matcher_tree_compiler.h"
#include "config/metadata_compiler.h"

namespace sluice::config {
namespace {

namespace v3 = envoy::config::rbac::v3;
using model::RbacRule;

model::RbacAction compile_action(v3::RBAC::Action action) {
  switch (action) {
    case v3::RBAC::DENY:
      return model::RbacAction::kDeny;
    case v3::RBAC::LOG:
      return model::RbacAction::kLog;
    default:
      return model::RbacAction::kAllow;
  }
}

RbacRule compile_ip(RbacRule::Ip::Whose whose, const envoy::config::core::v3::CidrRange& proto, CompileScope& scope) {
  auto range = net::Cidr::from(proto.address_prefix(), proto.prefix_len().value());
  if (range.ok()) return {RbacRule::Ip{whose, *range}};
  scope.error(proto, range.error());
  return {RbacRule::Any{}};
}

RbacRule compile_metadata_rule(const v3::SourcedMetadata& proto, CompileScope& scope) {
  using Source = RbacRule::OfMetadata::Source;
  return {RbacRule::OfMetadata{proto.metadata_source() == v3::ROUTE ? Source::kRoute : Source::kDynamic,
                               compile_metadata_matcher(proto.metadata_matcher(), scope)}};
}

RbacRule compile_rule(const v3::Permission& proto, CompileScope& scope);
RbacRule compile_rule(const v3::Principal& proto, CompileScope& scope);

template <typename List>
std::vector<RbacRule> compile_rules(const List& list, CompileScope& scope) {
  std::vector<RbacRule> out;
  for (const auto& one : list) out.push_back(compile_rule(one, scope));
  return out;
}

template <typename Proto>
RbacRule compile_not(const Proto& proto, CompileScope& scope) {
  RbacRule::Not out;
  out.rule.push_back(compile_rule(proto, scope));
  return {std::move(out)};
}

RbacRule compile_rule(const v3::Permission& proto, CompileScope& scope) {
  using P = v3::Permission;
  switch (proto.rule_case()) {
    case P::kAndRules:
      return {RbacRule::All{compile_rules(proto.and_rules().rules(), scope)}};
    case P::kOrRules:
      return {RbacRule::OneOf{compile_rules(proto.or_rules().rules(), scope)}};
    case P::kHeader:
      return {compile_header_matcher(proto.header(), scope)};
    case P::kUrlPath:
      return {RbacRule::Path{compile_string_matcher(proto.url_path().path(), scope)}};
    case P::kDestinationIp:
      return compile_ip(RbacRule::Ip::Whose::kDestination, proto.destination_ip(), scope);
    case P::kDestinationPort:
      return {RbacRule::Port{proto.destination_port(), proto.destination_port() + 1}};
    case P::kDestinationPortRange: {
      const auto& range = proto.destination_port_range();
      if (range.start() < 0 || range.end() < 0 || range.start() > 65536 || range.end() > 65536 ||
          range.start() >= range.end()) {
        scope.error(proto, P::kDestinationPortRangeFieldNumber, "must hold ports: 0 <= start < end <= 65536");
      }
      return {RbacRule::Port{static_cast<uint32_t>(range.start()), static_cast<uint32_t>(range.end())}};
    }
    case P::kMetadata:
      return {RbacRule::OfMetadata{RbacRule::OfMetadata::Source::kDynamic,
                                   compile_metadata_matcher(proto.metadata(), scope)}};
    case P::kNotRule:
      return compile_not(proto.not_rule(), scope);
    case P::kRequestedServerName:
      return {RbacRule::ServerName{compile_string_matcher(proto.requested_server_name(), scope)}};
    case P::kMatcher:
      scope.not_supported(proto, P::kMatcherFieldNumber);
      break;
    case P::kUriTemplate: {
      auto compiled = compile_path_template(proto.uri_template().typed_config(), scope);
      if (compiled) return {std::move(*compiled)};
      break;
    }
    case P::kSourcedMetadata:
      return compile_metadata_rule(proto.sourced_metadata(), scope);
    case P::kAny:
    case P::RULE_NOT_SET:
      break;  // validation has told
  }
  return {RbacRule::Any{}};
}

RbacRule compile_rule(const v3::Principal& proto, CompileScope& scope) {
  using P = v3::Principal;
  switch (proto.identifier_case()) {
    case P::kAndIds:
      return {RbacRule::All{compile_rules(proto.and_ids().ids(), scope)}};
    case P::kOrIds:
      return {RbacRule::OneOf{compile_rules(proto.or_ids().ids(), scope)}};
    case P::kAuthenticated: {
      RbacRule::Authenticated out;
      if (proto.authenticated().has_principal_name()) {
        out.name = compile_string_matcher(proto.authenticated().principal_name(), scope);
      }
      return {std::move(out)};
    }
    case P::kSourceIp:
      return compile_ip(RbacRule::Ip::Whose::kPeer, proto.source_ip(), scope);
    case P::kDirectRemoteIp:
      return compile_ip(RbacRule::Ip::Whose::kPeer, proto.direct_remote_ip(), scope);
    case P::kRemoteIp:
      return compile_ip(RbacRule::Ip::Whose::kClient, proto.remote_ip(), scope);
    case P::kHeader:
      return {compile_header_matcher(proto.header(), scope)};
    case P::kUrlPath:
      return {RbacRule::Path{compile_string_matcher(proto.url_path().path(), scope)}};
    case P::kMetadata:
      return {RbacRule::OfMetadata{RbacRule::OfMetadata::Source::kDynamic,
                                   compile_metadata_matcher(proto.metadata(), scope)}};
    case P::kFilterState:
      return {compile_filter_state_matcher(proto.filter_state(), scope)};
    case P::kNotId:
      return compile_not(proto.not_id(), scope);
    case P::kSourcedMetadata:
      return compile_metadata_rule(proto.sourced_metadata(), scope);
    case P::kCustom:
      scope.not_supported(proto, P::kCustomFieldNumber);
      break;
    case P::kAny:
    case P::IDENTIFIER_NOT_SET:
      break;  // validation has told
  }
  return {RbacRule::Any{}};
}

}  // namespace

std::shared_ptr<const model::Rbac> compile_rbac(const v3::RBAC& proto, CompileScope& scope) {
  using P = v3::Policy;
  scope.only(proto, {v3::RBAC::kActionFieldNumber, v3::RBAC::kPoliciesFieldNumber});
  std::vector<model::Rbac::Policy> policies;
  for (const auto& [name, policy] : proto.policies()) {
    // A condition that nobody evaluates would let in whom it should keep out.
    scope.only(policy, {P::kPermissionsFieldNumber, P::kPrincipalsFieldNumber});
    policies.push_back({name, compile_rules(policy.permissions(), scope), compile_rules(policy.principals(), scope)});
  }
  return std::make_shared<const model::Rbac>(compile_action(proto.action()), std::move(policies));
}

std::shared_ptr<const model::Rbac> compile_rbac(const xds::type::matcher::v3::Matcher& proto, TreeInputs inputs,
                                                CompileScope& scope) {
  const CompileAction action = [&scope](const google::protobuf::Message& content,
                                        const google::protobuf::Any& place) -> std::shared_ptr<const match::Action> {
    if (content.GetDescriptor() != v3::Action::descriptor()) {
      scope.error(place,
                  cat(content.GetDescriptor()->full_name(), " is not an action of RBAC (envoy.config.rbac.v3.Action)"));
      return nullptr;
    }
    const auto& one = static_cast<const v3::Action&>(content);
    return std::make_shared<const model::RbacOutcome>(one.name(), compile_action(one.action()));
  };
  return std::make_shared<const model::Rbac>(compile_fact_tree(proto, action, scope, inputs));
}

}  // namespace sluice::config
