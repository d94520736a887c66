#include "filters/http/local_ratelimit/local_ratelimit_config.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/header_compiler.h"
#include "config/matcher_compiler.h"
#include "config/rate_limit_compiler.h"
#include "config/token_bucket_compiler.h"
#include "envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.pb.h"
#include "filters/http/local_ratelimit/local_ratelimit.h"

namespace sluice::filters::local_ratelimit {
namespace {

namespace v3 = envoy::extensions::filters::http::local_ratelimit::v3;
namespace common = envoy::extensions::common::ratelimit::v3;
using config::CompileScope;
using google::protobuf::Message;

void compile_limits(const v3::LocalRateLimit& proto, LimiterPlan& out, CompileScope& scope) {
  std::set<std::vector<std::pair<std::string, std::string>>> seen;
  for (int i = 0; i < proto.descriptors_size(); ++i) {
    const common::LocalRateLimitDescriptor& descriptor = proto.descriptors(i);
    LimitPlan limit;
    for (const auto& entry : descriptor.entries()) limit.entries.emplace_back(entry.key(), entry.value());
    if (!seen.insert(limit.entries).second) {
      scope.error(proto, v3::LocalRateLimit::kDescriptorsFieldNumber, "this descriptor stands twice", i);
    }
    limit.bucket = config::compile_token_bucket(descriptor.token_bucket(), scope);
    limit.shadow = descriptor.shadow_mode();
    out.limits.push_back(std::move(limit));
  }
  std::stable_sort(out.limits.begin(), out.limits.end(), [](const LimitPlan& a, const LimitPlan& b) {
    return a.bucket.per_second() < b.bucket.per_second();
  });
}

HostLimits host_limits(common::VhRateLimitsOptions option) {
  switch (option) {
    case common::INCLUDE:
      return HostLimits::kAlso;
    case common::IGNORE:
      return HostLimits::kNever;
    default:
      return HostLimits::kWhenRouteHasNone;
  }
}

// What routes may say for several filters makes no sense in one.
void check_own_limits(const v3::LocalRateLimit& proto, CompileScope& scope) {
  using Limit = envoy::config::route::v3::RateLimit;
  for (const Limit& limit : proto.rate_limits()) {
    for (const int field : {Limit::kStageFieldNumber, Limit::kDisableKeyFieldNumber}) {
      const bool set = field == Limit::kStageFieldNumber ? limit.has_stage() : !limit.disable_key().empty();
      if (set) scope.error(limit, field, "is for rate_limits of routes and virtual hosts, not for those of the filter");
    }
    if (limit.has_limit()) scope.not_supported(limit, Limit::kLimitFieldNumber);
    if (limit.has_hits_addend() && limit.hits_addend().has_number() != limit.hits_addend().format().empty()) {
      scope.error(limit, Limit::kHitsAddendFieldNumber, "needs either a number or a format");
    }
  }
}

std::shared_ptr<const Settings> compile_settings(const v3::LocalRateLimit& proto, CompileScope& scope) {
  using L = v3::LocalRateLimit;
  scope.only(
      proto,
      {L::kStatPrefixFieldNumber, L::kStatusFieldNumber, L::kTokenBucketFieldNumber, L::kFilterEnabledFieldNumber,
       L::kFilterEnforcedFieldNumber, L::kRequestHeadersToAddWhenNotEnforcedFieldNumber,
       L::kResponseHeadersToAddFieldNumber, L::kDescriptorsFieldNumber, L::kStageFieldNumber,
       L::kLocalRateLimitPerDownstreamConnectionFieldNumber, L::kEnableXRatelimitHeadersFieldNumber,
       L::kVhRateLimitsFieldNumber, L::kAlwaysConsumeDefaultTokenBucketFieldNumber,
       L::kRateLimitedAsResourceExhaustedFieldNumber, L::kRateLimitsFieldNumber, L::kMaxDynamicDescriptorsFieldNumber});
  auto out = std::make_shared<Settings>();
  out->stat_prefix = proto.stat_prefix();
  if (const int status = static_cast<int>(proto.status().code()); status >= 400) {
    out->status = static_cast<uint16_t>(status);
  }
  out->resource_exhausted = proto.rate_limited_as_resource_exhausted();
  out->enabled = config::compile_fraction(proto.filter_enabled(), scope);
  out->enforced = config::compile_fraction(proto.filter_enforced(), scope);
  const google::protobuf::RepeatedPtrField<std::string> none;
  out->request_headers = config::compile_header_rules(proto, proto.request_headers_to_add_when_not_enforced(), none,
                                                      L::kRequestHeadersToAddWhenNotEnforcedFieldNumber, scope);
  out->response_headers = config::compile_header_rules(proto, proto.response_headers_to_add(), none,
                                                       L::kResponseHeadersToAddFieldNumber, scope);
  out->stage = proto.stage();
  if (proto.rate_limits_size() > 0) {
    check_own_limits(proto, scope);
    out->rate_limits = config::compile_rate_limits(proto.rate_limits(), scope);
  }
  out->host_limits = host_limits(proto.vh_rate_limits());
  out->per_connection = proto.local_rate_limit_per_downstream_connection();
  out->show_headers = proto.enable_x_ratelimit_headers() == common::DRAFT_VERSION_03;
  if (proto.has_token_bucket()) {
    out->limiter.bucket = config::compile_default_bucket(proto.token_bucket(), scope);
  }
  out->limiter.always_default =
      !proto.has_always_consume_default_token_bucket() || proto.always_consume_default_token_bucket().value();
  if (proto.has_max_dynamic_descriptors()) {
    out->limiter.max_dynamic = proto.max_dynamic_descriptors().value();
  }
  compile_limits(proto, out->limiter, scope);
  out->shared = std::make_unique<Limiter>(out->limiter);
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const LocalRateLimitFactory>(
      scope.filter_name, compile_settings(static_cast<const v3::LocalRateLimit&>(message), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  if (const auto& proto = static_cast<const v3::LocalRateLimit&>(message); !proto.has_token_bucket()) {
    scope.error(proto, v3::LocalRateLimit::kTokenBucketFieldNumber, "must be set in the settings of a route");
  }
  return compile_settings(static_cast<const v3::LocalRateLimit&>(message), scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::local_ratelimit
