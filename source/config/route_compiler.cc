#include "config/route_compiler.h"

#include <algorithm>

#include "base/strings.h"
#include "config/config_source_compiler.h"
#include "config/filter_compiler.h"
#include "config/forward_policies.h"
#include "config/header_compiler.h"
#include "config/matcher_compiler.h"
#include "config/matcher_tree_compiler.h"
#include "config/metadata_compiler.h"
#include "config/rate_limit_compiler.h"
#include "config/tracing_compiler.h"
#include "envoy/extensions/filters/http/cors/v3/cors.pb.h"

namespace sluice::config {
namespace {

namespace route = envoy::config::route::v3;

model::RequireTls compile_require_tls(route::VirtualHost::TlsRequirementType type) {
  switch (type) {
    case route::VirtualHost::EXTERNAL_ONLY:
      return model::RequireTls::kExternalOnly;
    case route::VirtualHost::ALL:
      return model::RequireTls::kAll;
    default:
      return model::RequireTls::kNone;
  }
}

// The deprecated policy: under no name it is that of every cors filter, whatever that is called.
void add_cors(const route::CorsPolicy& proto, model::FilterOverrides& out, CompileScope& scope) {
  using Policy = envoy::extensions::filters::http::cors::v3::CorsPolicy;
  const HttpFilterType* cors = scope.extensions().http_filter_by_route_type(Policy::descriptor()->full_name());
  const size_t errors = scope.findings().errors().size();
  // What is wrong in here has a place.
  for (const auto& origin : proto.allow_origin_string_match()) (void)compile_string_matcher(origin, scope);
  if (cors == nullptr || scope.findings().errors().size() != errors) return;
  Policy policy;
  *policy.mutable_allow_origin_string_match() = proto.allow_origin_string_match();
  policy.set_allow_methods(proto.allow_methods());
  policy.set_allow_headers(proto.allow_headers());
  policy.set_expose_headers(proto.expose_headers());
  policy.set_max_age(proto.max_age());
  if (proto.has_allow_credentials()) *policy.mutable_allow_credentials() = proto.allow_credentials();
  if (proto.has_filter_enabled()) *policy.mutable_filter_enabled() = proto.filter_enabled();
  if (proto.has_shadow_enabled()) *policy.mutable_shadow_enabled() = proto.shadow_enabled();
  if (proto.has_allow_private_network_access()) {
    *policy.mutable_allow_private_network_access() = proto.allow_private_network_access();
  }
  if (proto.has_forward_not_matching_preflights()) {
    *policy.mutable_forward_not_matching_preflights() = proto.forward_not_matching_preflights();
  }
  out.push_back({"", cors->compile_route(policy, scope), false, scope.origin(proto)});
}

model::Route compile_route(const route::Route& proto, const RouteContext& context, CompileScope& scope) {
  using R = route::Route;
  scope.only(proto, {R::kNameFieldNumber, R::kMatchFieldNumber, R::kRouteFieldNumber, R::kRedirectFieldNumber,
                     R::kDirectResponseFieldNumber, R::kFilterActionFieldNumber, R::kNonForwardingActionFieldNumber,
                     R::kMetadataFieldNumber, R::kTypedPerFilterConfigFieldNumber, R::kRequestHeadersToAddFieldNumber,
                     R::kRequestHeadersToRemoveFieldNumber, R::kResponseHeadersToAddFieldNumber,
                     R::kResponseHeadersToRemoveFieldNumber, R::kPerRequestBufferLimitBytesFieldNumber,
                     R::kRequestBodyBufferLimitFieldNumber, R::kStatPrefixFieldNumber, R::kDecoratorFieldNumber,
                     R::kTracingFieldNumber});
  model::Route out;
  out.name = proto.name();
  out.stat_prefix = proto.stat_prefix();
  out.match = compile_route_match(proto.match(), scope);
  out.action = compile_route_action(proto, context, scope);
  out.metadata = compile_metadata(proto.metadata());
  out.tracing = compile_route_tracing(proto, scope);
  compile_both_header_rules(proto, out, scope);
  out.overrides = compile_filter_overrides(proto.typed_per_filter_config(), scope);
  if (proto.route().has_cors()) add_cors(proto.route().cors(), out.overrides, scope);
  out.origin = scope.origin(proto);
  return out;
}

// Routes that stand in a matcher tree: they join the list of the virtual host, and the actions have their numbers.
std::unique_ptr<const model::FactTree> compile_tree(const xds::type::matcher::v3::Matcher& proto,
                                                    const RouteContext& context, model::VirtualHost& host,
                                                    CompileScope& scope) {
  const CompileAction action = [&](const google::protobuf::Message& content,
                                   const google::protobuf::Any& place) -> std::shared_ptr<const match::Action> {
    auto list = std::make_shared<model::RouteList>();
    const auto add = [&](const route::Route& one) {
      list->routes.push_back(static_cast<uint32_t>(host.routes.size()));
      host.routes.push_back(compile_route(one, context, scope));
    };
    if (content.GetDescriptor() == route::Route::descriptor()) {
      add(static_cast<const route::Route&>(content));
    } else if (content.GetDescriptor() == route::RouteList::descriptor()) {
      for (const auto& one : static_cast<const route::RouteList&>(content).routes()) add(one);
    } else {
      scope.error(place, cat(content.GetDescriptor()->full_name(), " is neither a Route nor a RouteList"));
      return nullptr;
    }
    return list;
  };
  return compile_fact_tree(proto, action, scope, TreeInputs::kRequestHeaders);
}

// Whether any route takes the policies that stand around it.
bool inherits_mirrors(const route::VirtualHost& proto) {
  return proto.has_matcher() || std::any_of(proto.routes().begin(), proto.routes().end(), [](const route::Route& one) {
           return one.route().request_mirror_policies().empty();
         });
}

// Clusters of policies that no route takes need not be there.
RouteContext for_mirrors(const RouteContext& around, bool used) {
  RouteContext out = around;
  out.validate_clusters = around.validate_clusters && used;
  return out;
}

std::unique_ptr<model::VirtualHost> compile_virtual_host(const route::VirtualHost& proto, const RouteContext& around,
                                                         CompileScope& scope) {
  using V = route::VirtualHost;
  scope.only(proto, {V::kNameFieldNumber,
                     V::kDomainsFieldNumber,
                     V::kRoutesFieldNumber,
                     V::kRequireTlsFieldNumber,
                     V::kRequestHeadersToAddFieldNumber,
                     V::kRequestHeadersToRemoveFieldNumber,
                     V::kResponseHeadersToAddFieldNumber,
                     V::kResponseHeadersToRemoveFieldNumber,
                     V::kTypedPerFilterConfigFieldNumber,
                     V::kIncludeRequestAttemptCountFieldNumber,
                     V::kIncludeAttemptCountInResponseFieldNumber,
                     V::kMetadataFieldNumber,
                     V::kRateLimitsFieldNumber,
                     V::kRetryPolicyFieldNumber,
                     V::kHedgePolicyFieldNumber,
                     V::kIncludeIsTimeoutRetryHeaderFieldNumber,
                     V::kPerRequestBufferLimitBytesFieldNumber,
                     V::kRequestBodyBufferLimitFieldNumber,
                     V::kRequestMirrorPoliciesFieldNumber,
                     V::kMatcherFieldNumber,
                     V::kCorsFieldNumber,
                     V::kVirtualClustersFieldNumber});
  RouteContext context = around;
  if (proto.has_retry_policy()) context.retry = compile_retry_policy(proto.retry_policy(), scope);
  if (proto.has_hedge_policy()) context.hedge_on_per_try_timeout = compile_hedging(proto.hedge_policy(), scope);
  if (const auto limit = body_buffer_limit(proto)) context.body_buffer_limit = limit;
  if (!proto.request_mirror_policies().empty()) {
    context.mirrors =
        compile_mirrors(proto.request_mirror_policies(), for_mirrors(context, inherits_mirrors(proto)), scope);
  }
  auto out = std::make_unique<model::VirtualHost>();
  out->name = proto.name();
  out->domains.assign(proto.domains().begin(), proto.domains().end());
  out->require_tls = compile_require_tls(proto.require_tls());
  out->metadata = compile_metadata(proto.metadata());
  compile_both_header_rules(proto, *out, scope);
  out->overrides = compile_filter_overrides(proto.typed_per_filter_config(), scope);
  if (proto.has_cors()) add_cors(proto.cors(), out->overrides, scope);
  out->rate_limits = compile_route_limits(proto.rate_limits(), scope);
  out->include_attempt_count = proto.include_request_attempt_count();
  out->include_attempt_count_in_response = proto.include_attempt_count_in_response();
  out->include_is_timeout_retry = proto.include_is_timeout_retry_header();
  out->origin = scope.origin(proto);
  out->routes.reserve(static_cast<size_t>(proto.routes_size()));
  for (const auto& one : proto.routes()) out->routes.push_back(compile_route(one, context, scope));
  if (proto.has_matcher()) {
    if (proto.routes_size() > 0) scope.error(proto, V::kMatcherFieldNumber, "cannot stand beside routes");
    RouteContext inside = context;
    inside.validate_clusters = false;  // as in Envoy, which looks at lists alone
    out->tree = compile_tree(proto.matcher(), inside, *out, scope);
  }
  for (const auto& one : proto.virtual_clusters()) {
    if (one.headers().empty()) scope.error(one, "needs headers");
    out->virtual_clusters.push_back({one.name(), compile_header_matchers(one.headers(), scope), {}});
  }
  if (!out->virtual_clusters.empty()) out->virtual_clusters.emplace_back();
  return out;
}

// The look-up tables, and the domains that stand twice.
void build(const route::RouteConfiguration& proto, model::RouteTable& table, CompileScope& scope) {
  for (const auto& duplicate : table.build()) {
    for (int i = 0; i < proto.virtual_hosts_size(); ++i) {
      if (table.hosts[static_cast<size_t>(i)].get() != duplicate.host) continue;
      scope.error(
          proto.virtual_hosts(i), route::VirtualHost::kDomainsFieldNumber,
          cat("the domain '", duplicate.host->domains[duplicate.domain], "' stands twice in '", proto.name(),
              "', first in the virtual host '", duplicate.first->name, "' (line ", duplicate.first->origin.line, ")"),
          static_cast<int>(duplicate.domain));
    }
  }
}

// Hosts are asked for and given up by name, which takes a stream that tells changes. Whether that of the bootstrap does
// is known to who subscribes.
void compile_vhds(const route::Vhds& proto, model::RouteTable& out, CompileScope& scope) {
  using Kind = model::ConfigSource::Kind;
  scope.only(proto, {route::Vhds::kConfigSourceFieldNumber});
  const auto source = compile_config_source(proto.config_source(), scope);
  if (!source) return;
  const bool delta = source->kind == Kind::kApi && source->api->protocol == model::ApiSource::Protocol::kDelta;
  if (!delta && source->kind != Kind::kAds) {
    scope.error(proto, route::Vhds::kConfigSourceFieldNumber, "must be a control plane that speaks DELTA_GRPC");
    return;
  }
  out.vhds = *source;
}

}  // namespace

std::shared_ptr<model::RouteTable> compile_route_table(const route::RouteConfiguration& proto, RouteSource source,
                                                       CompileScope& scope) {
  using C = route::RouteConfiguration;
  scope.only(proto, {C::kNameFieldNumber, C::kVirtualHostsFieldNumber, C::kInternalOnlyHeadersFieldNumber,
                     C::kResponseHeadersToAddFieldNumber, C::kResponseHeadersToRemoveFieldNumber,
                     C::kRequestHeadersToAddFieldNumber, C::kRequestHeadersToRemoveFieldNumber,
                     C::kMostSpecificHeaderMutationsWinsFieldNumber, C::kValidateClustersFieldNumber,
                     C::kMaxDirectResponseBodySizeBytesFieldNumber, C::kIgnorePortInHostMatchingFieldNumber,
                     C::kVhostHeaderFieldNumber, C::kIgnorePathParametersInPathMatchingFieldNumber,
                     C::kTypedPerFilterConfigFieldNumber, C::kMetadataFieldNumber, C::kRequestMirrorPoliciesFieldNumber,
                     C::kVhdsFieldNumber});
  RouteContext context;
  context.validate_clusters =
      proto.has_validate_clusters() ? proto.validate_clusters().value() : source == RouteSource::kInline;
  if (proto.has_max_direct_response_body_size_bytes()) {
    context.max_direct_body = proto.max_direct_response_body_size_bytes().value();
  }
  if (!proto.request_mirror_policies().empty()) {
    const bool used =
        std::any_of(proto.virtual_hosts().begin(), proto.virtual_hosts().end(), [](const route::VirtualHost& host) {
          return host.request_mirror_policies().empty() && inherits_mirrors(host);
        });
    context.mirrors = compile_mirrors(proto.request_mirror_policies(), for_mirrors(context, used), scope);
  }

  auto out = std::make_shared<model::RouteTable>();
  out->name = proto.name();
  compile_both_header_rules(proto, *out, scope);
  out->overrides = compile_filter_overrides(proto.typed_per_filter_config(), scope);
  for (const std::string& name : proto.internal_only_headers()) out->internal_only_headers.push_back(to_lower(name));
  out->most_specific_header_mutations_wins = proto.most_specific_header_mutations_wins();
  out->ignore_port_in_host_matching = proto.ignore_port_in_host_matching();
  out->ignore_path_parameters = proto.ignore_path_parameters_in_path_matching();
  out->vhost_header = to_lower(proto.vhost_header());
  if (proto.has_vhds()) {
    if (source == RouteSource::kInline) {
      scope.not_supported(proto, C::kVhdsFieldNumber);
    } else {
      compile_vhds(proto.vhds(), *out, scope);
    }
  }
  out->origin = scope.origin(proto);
  for (const auto& host : proto.virtual_hosts()) out->hosts.push_back(compile_virtual_host(host, context, scope));
  build(proto, *out, scope);
  return out;
}

}  // namespace sluice::config
