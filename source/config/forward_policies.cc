#include "config/forward_policies.h"

#include <algorithm>

#include "base/strings.h"
#include "config/header_compiler.h"
#include "config/matcher_compiler.h"
#include "config/metadata_compiler.h"
#include "envoy/extensions/internal_redirect/allow_listed_routes/v3/allow_listed_routes_config.pb.h"
#include "envoy/extensions/internal_redirect/previous_routes/v3/previous_routes_config.pb.h"
#include "envoy/extensions/internal_redirect/safe_cross_scheme/v3/safe_cross_scheme_config.pb.h"
#include "envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts.pb.h"
#include "envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config.pb.h"
#include "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb.h"
#include "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.pb.h"

namespace sluice::config {
namespace {

namespace route = envoy::config::route::v3;
namespace extensions = envoy::extensions;
using ActionProto = route::RouteAction;
using OmitCanaryHosts = extensions::retry::host::omit_canary_hosts::v3::OmitCanaryHostsPredicate;
using OmitHostMetadata = extensions::retry::host::omit_host_metadata::v3::OmitHostMetadataConfig;
using PreviousHosts = extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
using PreviousPriorities = extensions::retry::priority::previous_priorities::v3::PreviousPrioritiesConfig;
using PreviousRoutes = extensions::internal_redirect::previous_routes::v3::PreviousRoutesConfig;
using AllowListedRoutes = extensions::internal_redirect::allow_listed_routes::v3::AllowListedRoutesConfig;
using SafeCrossScheme = extensions::internal_redirect::safe_cross_scheme::v3::SafeCrossSchemeConfig;

bool is_a(const google::protobuf::Message& message, const google::protobuf::Descriptor* type) {
  return message.GetDescriptor() == type;
}

void unknown(const google::protobuf::Message& place, const google::protobuf::Message& content, CompileScope& scope) {
  scope.error(place, cat("not supported yet: ", content.GetDescriptor()->full_name()));
}

void compile_back_off(const route::RetryPolicy& proto, model::RetryPolicy& out, CompileScope& scope) {
  using B = route::RetryPolicy::RetryBackOff;
  const B& back_off = proto.retry_back_off();
  // Below a millisecond counts as one.
  out.base_interval = std::max<Duration>(to_duration(back_off.base_interval()), std::chrono::milliseconds(1));
  out.max_interval = 10 * out.base_interval;
  if (!back_off.has_max_interval()) return;
  out.max_interval = std::max<Duration>(to_duration(back_off.max_interval()), std::chrono::milliseconds(1));
  if (to_ms(out.max_interval) < to_ms(out.base_interval)) {
    scope.error(back_off, B::kMaxIntervalFieldNumber, "must not be below base_interval");
  }
}

void compile_rate_limited(const route::RetryPolicy::RateLimitedRetryBackOff& proto, model::RetryPolicy& out) {
  for (const auto& header : proto.reset_headers()) {
    out.reset_headers.push_back({to_lower(header.name()), header.format() == route::RetryPolicy::UNIX_TIMESTAMP});
  }
  if (proto.has_max_interval()) out.max_reset_interval = to_duration(proto.max_interval());
}

void compile_host_predicates(const route::RetryPolicy& proto, model::RetryPolicy& out, CompileScope& scope) {
  for (const auto& predicate : proto.retry_host_predicate()) {
    const google::protobuf::Message* content = scope.unpack(predicate.typed_config());
    if (content == nullptr) continue;
    if (is_a(*content, PreviousHosts::descriptor())) {
      out.avoid_previous_hosts = true;
    } else if (is_a(*content, OmitCanaryHosts::descriptor())) {
      out.avoid_canary_hosts = true;
    } else if (is_a(*content, OmitHostMetadata::descriptor())) {
      const auto& match = static_cast<const OmitHostMetadata&>(*content).metadata_match();
      if (auto metadata = compile_metadata(match)) out.avoid_metadata.push_back(std::move(metadata));
    } else {
      unknown(predicate, *content, scope);
    }
  }
  if (proto.has_retry_priority()) {
    const google::protobuf::Message* content = scope.unpack(proto.retry_priority().typed_config());
    if (content == nullptr) return;
    if (is_a(*content, PreviousPriorities::descriptor())) {
      out.previous_priorities =
          static_cast<uint32_t>(static_cast<const PreviousPriorities&>(*content).update_frequency());
    } else {
      unknown(proto.retry_priority(), *content, scope);
    }
  }
}

model::MirrorPolicy compile_mirror(const ActionProto::RequestMirrorPolicy& proto, const RouteContext& context,
                                   CompileScope& scope) {
  using M = ActionProto::RequestMirrorPolicy;
  // trace_sampled concerns spans of mirrored requests: there are none.
  scope.only(proto, {M::kClusterFieldNumber, M::kClusterHeaderFieldNumber, M::kRuntimeFractionFieldNumber,
                     M::kTraceSampledFieldNumber, M::kDisableShadowHostSuffixAppendFieldNumber,
                     M::kRequestHeadersMutationsFieldNumber, M::kHostRewriteLiteralFieldNumber});
  if (proto.cluster().empty() == proto.cluster_header().empty()) {
    scope.error(proto, proto.cluster().empty() ? "needs a cluster or a cluster_header"
                                               : "has both cluster and cluster_header; one must go");
  } else if (!proto.cluster().empty() && context.validate_clusters) {
    scope.require_cluster(proto, M::kClusterFieldNumber, proto.cluster());
  }
  model::MirrorPolicy out;
  out.cluster = proto.cluster();
  out.cluster_header = to_lower(proto.cluster_header());
  if (proto.has_runtime_fraction()) out.fraction = compile_fraction(proto.runtime_fraction(), scope);
  out.keep_host = proto.disable_shadow_host_suffix_append();
  out.host = proto.host_rewrite_literal();
  out.mutations = compile_header_mutations(proto.request_headers_mutations(), scope);
  return out;
}

}  // namespace

model::RetryPolicyPtr compile_retry_policy(const route::RetryPolicy& proto, CompileScope& scope) {
  using R = route::RetryPolicy;
  scope.only(proto, {R::kRetryOnFieldNumber, R::kNumRetriesFieldNumber, R::kPerTryTimeoutFieldNumber,
                     R::kPerTryIdleTimeoutFieldNumber, R::kRetryPriorityFieldNumber, R::kRetryHostPredicateFieldNumber,
                     R::kHostSelectionRetryMaxAttemptsFieldNumber, R::kRetriableStatusCodesFieldNumber,
                     R::kRetryBackOffFieldNumber, R::kRateLimitedRetryBackOffFieldNumber,
                     R::kRetriableHeadersFieldNumber, R::kRetriableRequestHeadersFieldNumber});
  auto out = std::make_shared<model::RetryPolicy>();
  out->origin = scope.origin(proto);
  out->on = model::parse_retry_on(proto.retry_on()).bits | model::parse_retry_grpc_on(proto.retry_on()).bits;
  if (proto.has_num_retries()) out->num_retries = proto.num_retries().value();
  if (proto.has_per_try_timeout()) out->per_try_timeout = to_duration(proto.per_try_timeout());
  if (proto.has_per_try_idle_timeout()) out->per_try_idle_timeout = to_duration(proto.per_try_idle_timeout());
  out->status_codes.assign(proto.retriable_status_codes().begin(), proto.retriable_status_codes().end());
  out->response_headers = compile_header_matchers(proto.retriable_headers(), scope);
  out->request_headers = compile_header_matchers(proto.retriable_request_headers(), scope);
  if (proto.has_retry_back_off()) compile_back_off(proto, *out, scope);
  if (proto.has_rate_limited_retry_back_off()) compile_rate_limited(proto.rate_limited_retry_back_off(), *out);
  compile_host_predicates(proto, *out, scope);
  if (proto.host_selection_retry_max_attempts() > 0) {
    out->host_attempts =
        static_cast<uint32_t>(std::min<int64_t>(proto.host_selection_retry_max_attempts(), UINT32_MAX - 1));
  }
  return out;
}

bool compile_hedging(const route::HedgePolicy& proto, CompileScope& scope) {
  using H = route::HedgePolicy;
  scope.only(proto, {H::kInitialRequestsFieldNumber, H::kHedgeOnPerTryTimeoutFieldNumber});
  if (proto.initial_requests().value() > 1) scope.not_supported(proto, H::kInitialRequestsFieldNumber);
  return proto.hedge_on_per_try_timeout();
}

model::MirrorPoliciesPtr compile_mirrors(
    const google::protobuf::RepeatedPtrField<ActionProto::RequestMirrorPolicy>& protos, const RouteContext& context,
    CompileScope& scope) {
  auto out = std::make_shared<std::vector<model::MirrorPolicy>>();
  for (const auto& proto : protos) out->push_back(compile_mirror(proto, context, scope));
  return out;
}

std::shared_ptr<const model::InternalRedirectPolicy> compile_internal_redirect(const ActionProto& proto,
                                                                               CompileScope& scope) {
  using P = route::InternalRedirectPolicy;
  if (!proto.has_internal_redirect_policy()) {
    // Deprecated, but still honoured.
    if (proto.internal_redirect_action() != ActionProto::HANDLE_INTERNAL_REDIRECT) return nullptr;
    auto out = std::make_shared<model::InternalRedirectPolicy>();
    if (proto.has_max_internal_redirects()) out->max_redirects = proto.max_internal_redirects().value();
    return out;
  }
  const P& policy = proto.internal_redirect_policy();
  scope.only(policy,
             {P::kMaxInternalRedirectsFieldNumber, P::kRedirectResponseCodesFieldNumber, P::kPredicatesFieldNumber,
              P::kAllowCrossSchemeRedirectFieldNumber, P::kResponseHeadersToCopyFieldNumber});
  auto out = std::make_shared<model::InternalRedirectPolicy>();
  if (policy.has_max_internal_redirects()) out->max_redirects = policy.max_internal_redirects().value();
  if (!policy.redirect_response_codes().empty()) out->codes.clear();
  for (const uint32_t code : policy.redirect_response_codes()) {
    // Others are passed over, as Envoy does.
    if (code == 301 || code == 302 || code == 303 || code == 307 || code == 308) {
      out->codes.push_back(static_cast<uint16_t>(code));
    }
  }
  out->allow_cross_scheme = policy.allow_cross_scheme_redirect();
  for (int i = 0; i < policy.response_headers_to_copy_size(); ++i) {
    out->headers_to_copy.push_back(to_lower(policy.response_headers_to_copy(i)));
    const std::string& name = out->headers_to_copy.back();
    if (name.starts_with(':') || name == "host") {
      scope.error(policy, P::kResponseHeadersToCopyFieldNumber, "cannot be a name that begins with ':', or host", i);
    }
  }
  for (const auto& predicate : policy.predicates()) {
    const google::protobuf::Message* content = scope.unpack(predicate.typed_config());
    if (content == nullptr) continue;
    if (is_a(*content, PreviousRoutes::descriptor())) {
      out->no_previous_routes = true;
    } else if (is_a(*content, SafeCrossScheme::descriptor())) {
      out->safe_cross_scheme = true;
    } else if (is_a(*content, AllowListedRoutes::descriptor())) {
      const auto& names = static_cast<const AllowListedRoutes&>(*content).allowed_route_names();
      out->has_allowed_routes = true;
      out->allowed_routes.assign(names.begin(), names.end());
    } else {
      unknown(predicate, *content, scope);
    }
  }
  return out;
}

bool has_durations(const ActionProto& proto) {
  return proto.has_max_stream_duration() || proto.has_max_grpc_timeout() || proto.has_grpc_timeout_offset();
}

model::StreamDurations compile_durations(const ActionProto& proto, CompileScope& scope) {
  using M = ActionProto::MaxStreamDuration;
  model::StreamDurations out;
  out.set = proto.has_max_stream_duration();
  const M& durations = proto.max_stream_duration();
  scope.only(durations, {M::kMaxStreamDurationFieldNumber, M::kGrpcTimeoutHeaderMaxFieldNumber,
                         M::kGrpcTimeoutHeaderOffsetFieldNumber});
  if (durations.has_max_stream_duration()) out.max = to_duration(durations.max_stream_duration());
  if (durations.has_grpc_timeout_header_max()) out.grpc_header_max = to_duration(durations.grpc_timeout_header_max());
  if (durations.has_grpc_timeout_header_offset()) {
    out.grpc_header_offset = to_duration(durations.grpc_timeout_header_offset());
  }
  if (proto.has_max_grpc_timeout()) out.old_grpc_max = to_duration(proto.max_grpc_timeout());
  if (proto.has_grpc_timeout_offset()) out.old_grpc_offset = to_duration(proto.grpc_timeout_offset());
  return out;
}

}  // namespace sluice::config
