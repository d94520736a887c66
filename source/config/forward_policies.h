// Compilers of what a route says about tries that fail: retries, hedging, mirrors, internal redirects, durations.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "config/compile_scope.h"
#include "config/route_compiler.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "model/route_action.h"

namespace sluice::config {

model::RetryPolicyPtr compile_retry_policy(const envoy::config::route::v3::RetryPolicy& proto, CompileScope& scope);
// hedge_on_per_try_timeout.
bool compile_hedging(const envoy::config::route::v3::HedgePolicy& proto, CompileScope& scope);
model::MirrorPoliciesPtr compile_mirrors(
    const google::protobuf::RepeatedPtrField<envoy::config::route::v3::RouteAction::RequestMirrorPolicy>& protos,
    const RouteContext& context, CompileScope& scope);
// Null when redirects go to the client.
std::shared_ptr<const model::InternalRedirectPolicy> compile_internal_redirect(
    const envoy::config::route::v3::RouteAction& proto, CompileScope& scope);
// Whether there is anything for compile_durations().
bool has_durations(const envoy::config::route::v3::RouteAction& proto);
model::StreamDurations compile_durations(const envoy::config::route::v3::RouteAction& proto, CompileScope& scope);

// request_body_buffer_limit, or the older field, of a route or virtual host.
template <typename Proto>
std::optional<uint64_t> body_buffer_limit(const Proto& proto) {
  if (proto.has_request_body_buffer_limit()) return proto.request_body_buffer_limit().value();
  if (proto.has_per_request_buffer_limit_bytes()) return proto.per_request_buffer_limit_bytes().value();
  return std::nullopt;
}

}  // namespace sluice::config
