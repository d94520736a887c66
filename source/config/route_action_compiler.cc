#include <limits>

#include "base/strings.h"
#include "config/core_compiler.h"
#include "config/filter_compiler.h"
#include "config/forward_policies.h"
#include "config/hash_policy_compiler.h"
#include "config/header_compiler.h"
#include "config/local_reply_compiler.h"
#include "config/matcher_compiler.h"
#include "config/metadata_compiler.h"
#include "config/rate_limit_compiler.h"
#include "config/route_compiler.h"
#include "config/subset_compiler.h"
#include "envoy/extensions/path/rewrite/uri_template/v3/uri_template_rewrite.pb.h"

namespace sluice::config {
namespace {

namespace route = envoy::config::route::v3;
using ActionProto = route::RouteAction;
using Unset = format::ParseOptions::Unset;

std::shared_ptr<const format::Formatter> share(std::optional<format::Formatter> formatter) {
  return formatter ? std::make_shared<const format::Formatter>(std::move(*formatter)) : nullptr;
}

model::WeightedCluster compile_weighted(const route::WeightedCluster::ClusterWeight& proto, const RouteContext& context,
                                        CompileScope& scope) {
  using W = route::WeightedCluster::ClusterWeight;
  scope.only(proto,
             {W::kNameFieldNumber, W::kClusterHeaderFieldNumber, W::kWeightFieldNumber,
              W::kRequestHeadersToAddFieldNumber, W::kRequestHeadersToRemoveFieldNumber,
              W::kResponseHeadersToAddFieldNumber, W::kResponseHeadersToRemoveFieldNumber,
              W::kTypedPerFilterConfigFieldNumber, W::kHostRewriteLiteralFieldNumber, W::kMetadataMatchFieldNumber});
  if (proto.name().empty() == proto.cluster_header().empty()) {
    scope.error(proto, proto.name().empty() ? "needs a name or a cluster_header"
                                            : "has both name and cluster_header; one must go");
  } else if (!proto.name().empty() && context.validate_clusters) {
    scope.require_cluster(proto, W::kNameFieldNumber, proto.name());
  }
  model::WeightedCluster out;
  out.name = proto.name();
  out.cluster_header = to_lower(proto.cluster_header());
  out.weight = proto.weight().value();
  compile_both_header_rules(proto, out, scope);
  out.host_rewrite = proto.host_rewrite_literal();
  out.overrides = compile_filter_overrides(proto.typed_per_filter_config(), scope);
  out.origin = scope.origin(proto);
  return out;
}

void compile_weighted_clusters(const route::WeightedCluster& proto, const RouteContext& context,
                               model::ForwardAction& out, CompileScope& scope) {
  using W = route::WeightedCluster;
  // total_weight is read by nobody any more, in Envoy neither.
  scope.only(proto, {W::kClustersFieldNumber, W::kTotalWeightFieldNumber, W::kHeaderNameFieldNumber,
                     W::kRuntimeKeyPrefixFieldNumber, W::kUseHashPolicyFieldNumber});
  for (const auto& cluster : proto.clusters()) {
    out.weighted.push_back(compile_weighted(cluster, context, scope));
    model::WeightedCluster& added = out.weighted.back();
    out.total_weight += added.weight;
    if (!proto.runtime_key_prefix().empty()) {
      added.live_weight = scope.runtime.live_number(added.weight, cat(proto.runtime_key_prefix(), ".", added.name));
    }
  }
  out.live_weights = !proto.runtime_key_prefix().empty();
  out.weight_by_hash = proto.use_hash_policy().value();
  out.weight_header = to_lower(proto.header_name());
  if (out.total_weight == 0) {
    scope.error(proto, W::kClustersFieldNumber, "the weights must add up to more than 0");
  } else if (out.total_weight > std::numeric_limits<uint32_t>::max()) {
    scope.error(proto, W::kClustersFieldNumber,
                cat("the weights add up to ", out.total_weight, "; at most 4294967295 is allowed"));
  }
}

void compile_target(const ActionProto& proto, const RouteContext& context, model::ForwardAction& out,
                    CompileScope& scope) {
  switch (proto.cluster_specifier_case()) {
    case ActionProto::kCluster:
      out.cluster = proto.cluster();
      if (context.validate_clusters) scope.require_cluster(proto, ActionProto::kClusterFieldNumber, out.cluster);
      break;
    case ActionProto::kClusterHeader:
      out.cluster_header = to_lower(proto.cluster_header());
      break;
    case ActionProto::kWeightedClusters:
      compile_weighted_clusters(proto.weighted_clusters(), context, out, scope);
      break;
    case ActionProto::kClusterSpecifierPlugin:
      scope.not_supported(proto, ActionProto::kClusterSpecifierPluginFieldNumber);
      break;
    case ActionProto::kInlineClusterSpecifierPlugin:
      scope.not_supported(proto, ActionProto::kInlineClusterSpecifierPluginFieldNumber);
      break;
    case ActionProto::CLUSTER_SPECIFIER_NOT_SET:
      break;  // validation has told
  }
}

// path_rewrite_policy; it uses the variables of the template that the route matches by.
std::shared_ptr<const match::PathRewriteTemplate> compile_template_rewrite(const ActionProto& proto,
                                                                           const route::RouteMatch& match,
                                                                           CompileScope& scope) {
  using Proto = envoy::extensions::path::rewrite::uri_template::v3::UriTemplateRewriteConfig;
  const Proto* rewrite = scope.unpack_to<Proto>(proto.path_rewrite_policy().typed_config());
  if (rewrite == nullptr) return nullptr;
  if (!match.has_path_match_policy()) {
    scope.error(proto, ActionProto::kPathRewritePolicyFieldNumber, "needs a route that matches by path_match_policy");
    return nullptr;
  }
  const auto matched = compile_path_template(match.path_match_policy().typed_config(), scope);
  if (!matched) return nullptr;
  auto compiled = match::PathRewriteTemplate::compile(rewrite->path_template_rewrite(), *matched);
  if (compiled.ok()) return std::make_shared<const match::PathRewriteTemplate>(std::move(*compiled));
  scope.error(*rewrite, Proto::kPathTemplateRewriteFieldNumber, compiled.error());
  return nullptr;
}

bool rewrites(const ActionProto& proto) {
  return !proto.prefix_rewrite().empty() || proto.has_regex_rewrite() || !proto.path_rewrite().empty() ||
         proto.has_path_rewrite_policy() || proto.append_x_forwarded_host() ||
         proto.host_rewrite_specifier_case() != ActionProto::HOST_REWRITE_SPECIFIER_NOT_SET;
}

void compile_path_rewrite(const ActionProto& proto, const route::RouteMatch& match, model::Rewrite& out,
                          CompileScope& scope) {
  const int forms = (proto.prefix_rewrite().empty() ? 0 : 1) + (proto.has_regex_rewrite() ? 1 : 0) +
                    (proto.path_rewrite().empty() ? 0 : 1) + (proto.has_path_rewrite_policy() ? 1 : 0);
  if (forms > 1)
    scope.error(proto, "only one of prefix_rewrite, regex_rewrite, path_rewrite_policy and path_rewrite may be set");
  if (!proto.prefix_rewrite().empty() && match.has_path_match_policy()) {
    scope.error(proto, ActionProto::kPrefixRewriteFieldNumber,
                "a path_match_policy matches no prefix that could be replaced");
  }
  out.prefix = proto.prefix_rewrite();
  out.has_prefix = !out.prefix.empty();
  if (proto.has_regex_rewrite()) out.path_regex = compile_regex_rewrite(proto.regex_rewrite(), scope);
  if (proto.has_path_rewrite_policy()) out.path_template = compile_template_rewrite(proto, match, scope);
  if (!proto.path_rewrite().empty()) {
    out.path_format = share(
        scope.formatter(proto, ActionProto::kPathRewriteFieldNumber, proto.path_rewrite(), {.unset = Unset::kNothing}));
  }
}

void compile_host_rewrite(const ActionProto& proto, model::Rewrite& out, CompileScope& scope) {
  switch (proto.host_rewrite_specifier_case()) {
    case ActionProto::kHostRewriteLiteral:
      out.host_literal = proto.host_rewrite_literal();
      break;
    case ActionProto::kAutoHostRewrite:
      out.host_auto = proto.auto_host_rewrite().value();
      break;
    case ActionProto::kHostRewriteHeader:
      out.host_header = to_lower(proto.host_rewrite_header());
      break;
    case ActionProto::kHostRewritePathRegex:
      out.host_path_regex = compile_regex_rewrite(proto.host_rewrite_path_regex(), scope);
      break;
    case ActionProto::kHostRewrite:
      out.host_format = share(scope.formatter(proto, ActionProto::kHostRewriteFieldNumber, proto.host_rewrite(), {}));
      break;
    case ActionProto::HOST_REWRITE_SPECIFIER_NOT_SET:
      break;
  }
  out.append_forwarded_host = proto.append_x_forwarded_host();
}

std::vector<model::Upgrade> compile_upgrades(const ActionProto& proto, CompileScope& scope) {
  using U = ActionProto::UpgradeConfig;
  std::vector<model::Upgrade> out;
  for (const U& upgrade : proto.upgrade_configs()) {
    scope.only(upgrade, {U::kUpgradeTypeFieldNumber, U::kEnabledFieldNumber, U::kConnectConfigFieldNumber});
    model::Upgrade one{to_lower(upgrade.upgrade_type()), !upgrade.has_enabled() || upgrade.enabled().value()};
    if (upgrade.has_connect_config()) {
      scope.only(upgrade.connect_config(), {U::ConnectConfig::kAllowPostFieldNumber});
      one.ends_here = true;
      one.allow_post = upgrade.connect_config().allow_post();
      if (one.type != "connect") {
        scope.error(upgrade, U::kConnectConfigFieldNumber, "is for the upgrade_type CONNECT only");
      }
    }
    for (const model::Upgrade& before : out) {
      if (before.type == one.type)
        scope.error(upgrade, U::kUpgradeTypeFieldNumber, cat("'", one.type, "' stands twice"));
    }
    out.push_back(std::move(one));
  }
  return out;
}

model::ForwardAction compile_forward(const route::Route& owner, const RouteContext& context, CompileScope& scope) {
  const ActionProto& proto = owner.route();
  const route::RouteMatch& match = owner.match();
  scope.only(proto, {ActionProto::kClusterFieldNumber,
                     ActionProto::kClusterHeaderFieldNumber,
                     ActionProto::kWeightedClustersFieldNumber,
                     ActionProto::kClusterSpecifierPluginFieldNumber,
                     ActionProto::kInlineClusterSpecifierPluginFieldNumber,
                     ActionProto::kClusterNotFoundResponseCodeFieldNumber,
                     ActionProto::kCorsFieldNumber,  // compile_route() does
                     ActionProto::kPrefixRewriteFieldNumber,
                     ActionProto::kRegexRewriteFieldNumber,
                     ActionProto::kPathRewriteFieldNumber,
                     ActionProto::kPathRewritePolicyFieldNumber,
                     ActionProto::kHostRewriteLiteralFieldNumber,
                     ActionProto::kAutoHostRewriteFieldNumber,
                     ActionProto::kHostRewriteHeaderFieldNumber,
                     ActionProto::kHostRewritePathRegexFieldNumber,
                     ActionProto::kHostRewriteFieldNumber,
                     ActionProto::kAppendXForwardedHostFieldNumber,
                     ActionProto::kTimeoutFieldNumber,
                     ActionProto::kIdleTimeoutFieldNumber,
                     ActionProto::kPriorityFieldNumber,
                     ActionProto::kUpgradeConfigsFieldNumber,
                     ActionProto::kHashPolicyFieldNumber,
                     ActionProto::kRateLimitsFieldNumber,
                     ActionProto::kIncludeVhRateLimitsFieldNumber,
                     ActionProto::kRetryPolicyFieldNumber,
                     ActionProto::kHedgePolicyFieldNumber,
                     ActionProto::kRequestMirrorPoliciesFieldNumber,
                     ActionProto::kInternalRedirectPolicyFieldNumber,
                     ActionProto::kInternalRedirectActionFieldNumber,
                     ActionProto::kMaxInternalRedirectsFieldNumber,
                     ActionProto::kMaxStreamDurationFieldNumber,
                     ActionProto::kMetadataMatchFieldNumber,
                     ActionProto::kMaxGrpcTimeoutFieldNumber,
                     ActionProto::kGrpcTimeoutOffsetFieldNumber});
  model::ForwardAction out;
  out.origin = scope.origin(proto);
  compile_target(proto, context, out, scope);
  switch (proto.cluster_not_found_response_code()) {
    case ActionProto::NOT_FOUND:
      out.cluster_not_found_status = 404;
      break;
    case ActionProto::INTERNAL_SERVER_ERROR:
      out.cluster_not_found_status = 500;
      break;
    default:
      break;
  }
  if (rewrites(proto)) {
    compile_path_rewrite(proto, match, out.rewrite.edit(), scope);
    compile_host_rewrite(proto, out.rewrite.edit(), scope);
  }
  if (proto.has_timeout()) out.timeout = to_duration(proto.timeout());
  if (proto.has_idle_timeout()) out.idle_timeout = to_duration(proto.idle_timeout());
  out.priority = proto.priority() == envoy::config::core::v3::HIGH ? 1 : 0;
  out.upgrades = compile_upgrades(proto, scope);
  out.rate_limits = compile_route_limits(proto.rate_limits(), scope);
  out.include_vh_rate_limits = proto.include_vh_rate_limits().value();
  out.hash_policies = compile_hash_policies(proto.hash_policy(), scope);
  out.match = compile_match(proto.metadata_match());
  for (int i = 0; i < proto.weighted_clusters().clusters_size(); ++i) {
    out.weighted[static_cast<size_t>(i)].match =
        compile_match(proto.metadata_match(), &proto.weighted_clusters().clusters(i).metadata_match());
  }
  if (has_durations(proto)) out.durations.edit() = compile_durations(proto, scope);
  out.retry = proto.has_retry_policy() ? compile_retry_policy(proto.retry_policy(), scope) : context.retry;
  out.hedge_on_per_try_timeout =
      proto.has_hedge_policy() ? compile_hedging(proto.hedge_policy(), scope) : context.hedge_on_per_try_timeout;
  out.body_buffer_limit = body_buffer_limit(owner);
  if (!out.body_buffer_limit) out.body_buffer_limit = context.body_buffer_limit;
  out.mirrors = proto.request_mirror_policies().empty()
                    ? context.mirrors
                    : compile_mirrors(proto.request_mirror_policies(), context, scope);
  out.internal_redirect = compile_internal_redirect(proto, scope);
  return out;
}

uint16_t redirect_status(route::RedirectAction::RedirectResponseCode code) {
  switch (code) {
    case route::RedirectAction::FOUND:
      return 302;
    case route::RedirectAction::SEE_OTHER:
      return 303;
    case route::RedirectAction::TEMPORARY_REDIRECT:
      return 307;
    case route::RedirectAction::PERMANENT_REDIRECT:
      return 308;
    default:
      return 301;
  }
}

model::RedirectAction compile_redirect(const route::RedirectAction& proto, const route::RouteMatch& match,
                                       CompileScope& scope) {
  using R = route::RedirectAction;
  if (!proto.prefix_rewrite().empty() && match.has_path_match_policy()) {
    scope.error(proto, R::kPrefixRewriteFieldNumber, "a path_match_policy matches no prefix that could be replaced");
  }
  model::RedirectAction out;
  out.status = redirect_status(proto.response_code());
  out.https = proto.https_redirect();
  out.scheme = proto.scheme_redirect();
  out.host = proto.host_redirect();
  out.path = proto.path_redirect();
  out.has_prefix = !proto.prefix_rewrite().empty();
  out.prefix = proto.prefix_rewrite();
  out.port = proto.port_redirect();
  out.strip_query = proto.strip_query();
  if (proto.has_regex_rewrite()) out.path_regex = compile_regex_rewrite(proto.regex_rewrite(), scope);
  if (!proto.path_rewrite().empty()) {
    out.path_format =
        share(scope.formatter(proto, R::kPathRewriteFieldNumber, proto.path_rewrite(), {.unset = Unset::kNothing}));
  }
  return out;
}

model::DirectResponseAction compile_direct(const route::DirectResponseAction& proto, const RouteContext& context,
                                           CompileScope& scope) {
  using D = route::DirectResponseAction;
  scope.only(proto, {D::kStatusFieldNumber, D::kBodyFieldNumber, D::kBodyFormatFieldNumber});
  model::DirectResponseAction out;
  out.status = static_cast<uint16_t>(proto.status());
  if (proto.has_body()) out.body = read_data_source(proto.body(), scope).value_or("");
  if (proto.has_body_format()) {
    if (auto format = compile_body_format(proto.body_format(), scope)) {
      out.format = std::make_shared<const model::BodyFormat>(std::move(*format));
    }
  }
  if (out.body.size() > context.max_direct_body) {
    scope.error(proto, D::kBodyFieldNumber,
                cat("has ", out.body.size(), " bytes; at most ", context.max_direct_body,
                    " are allowed (max_direct_response_body_size_bytes of the route configuration)"));
  }
  return out;
}

}  // namespace

model::RouteAction compile_route_action(const route::Route& proto, const RouteContext& context, CompileScope& scope) {
  switch (proto.action_case()) {
    case route::Route::kRoute:
      return compile_forward(proto, context, scope);
    case route::Route::kRedirect:
      return compile_redirect(proto.redirect(), proto.match(), scope);
    case route::Route::kDirectResponse:
      return compile_direct(proto.direct_response(), context, scope);
    case route::Route::kNonForwardingAction:
      return model::NonForwardingAction{};
    case route::Route::kFilterAction:
      scope.not_supported(proto, route::Route::kFilterActionFieldNumber);
      break;
    case route::Route::ACTION_NOT_SET:
      break;  // validation has told
  }
  return model::NonForwardingAction{};
}

}  // namespace sluice::config
