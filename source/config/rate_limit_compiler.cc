#include "config/rate_limit_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"

namespace sluice::config {
namespace {

using RateLimitProto = envoy::config::route::v3::RateLimit;
using A = RateLimitProto::Action;
using model::RateLimitAction;

// An absent operator gives no text at all, so that the fallback is taken.
constexpr format::ParseOptions kEmptyWhenUnset{.unset = format::ParseOptions::Unset::kNothing};

// Operators in a descriptor's value count when the runtime says so, as in Envoy; without that each text is as it
// stands.
bool formats_values(const CompileScope& scope) {
  return scope.runtime.boolean("envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value")
      .value_or(false);
}

std::string without_operators(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return out;
}

std::optional<RateLimitAction::Text> compile_text(const google::protobuf::Message& message, int field,
                                                  const std::string& value, const std::string& fallback,
                                                  CompileScope& scope) {
  if (!formats_values(scope)) {
    auto literal = scope.formatter(message, field, without_operators(value), kEmptyWhenUnset);
    return literal ? std::optional(RateLimitAction::Text{std::move(*literal), {}}) : std::nullopt;
  }
  auto formatter = scope.formatter(message, field, value, kEmptyWhenUnset);
  return formatter ? std::optional(RateLimitAction::Text{std::move(*formatter), fallback}) : std::nullopt;
}

std::string key_or(const std::string& key, const char* fallback) { return key.empty() ? fallback : key; }

std::optional<RateLimitAction> compile_header_match(const A::HeaderValueMatch& proto, CompileScope& scope) {
  auto text = compile_text(proto, A::HeaderValueMatch::kDescriptorValueFieldNumber, proto.descriptor_value(),
                           proto.default_value(), scope);
  if (!text) return std::nullopt;
  return RateLimitAction{
      key_or(proto.descriptor_key(), "header_match"),
      RateLimitAction::HeaderMatch{compile_header_matchers(proto.headers(), scope),
                                   !proto.has_expect_match() || proto.expect_match().value(), std::move(*text)}};
}

std::optional<RateLimitAction> compile_query_match(const A::QueryParameterValueMatch& proto, CompileScope& scope) {
  auto text = compile_text(proto, A::QueryParameterValueMatch::kDescriptorValueFieldNumber, proto.descriptor_value(),
                           proto.default_value(), scope);
  if (!text) return std::nullopt;
  std::vector<model::QueryMatcher> parameters;
  for (const auto& one : proto.query_parameters()) parameters.push_back(compile_query_matcher(one, scope));
  return RateLimitAction{
      key_or(proto.descriptor_key(), "query_match"),
      RateLimitAction::QueryMatch{std::move(parameters), !proto.has_expect_match() || proto.expect_match().value(),
                                  std::move(*text)}};
}

// `proto` is the old message, which knows dynamic metadata only, or the new one.
template <typename Proto>
RateLimitAction::OfMetadata compile_metadata_action(const Proto& proto) {
  RateLimitAction::OfMetadata out;
  out.space = proto.metadata_key().key();
  for (const auto& segment : proto.metadata_key().path()) out.path.push_back(segment.key());
  out.fallback = proto.default_value();
  return out;
}

std::optional<RateLimitAction> compile_action(const A& proto, CompileScope& scope) {
  switch (proto.action_specifier_case()) {
    case A::kSourceCluster: {
      // A name is no format: it is written as it is.
      return RateLimitAction{"source_cluster", RateLimitAction::Text{std::nullopt, scope.node.cluster}};
    }
    case A::kDestinationCluster:
      return RateLimitAction{"destination_cluster", RateLimitAction::Destination{}};
    case A::kRequestHeaders:
      return RateLimitAction{proto.request_headers().descriptor_key(),
                             RateLimitAction::Header{to_lower(proto.request_headers().header_name()),
                                                     proto.request_headers().skip_if_absent()}};
    case A::kQueryParameters:
      return RateLimitAction{proto.query_parameters().descriptor_key(),
                             RateLimitAction::Query{proto.query_parameters().query_parameter_name(),
                                                    proto.query_parameters().skip_if_absent()}};
    case A::kRemoteAddress:
      return RateLimitAction{"remote_address", RateLimitAction::Remote{}};
    case A::kMaskedRemoteAddress: {
      const auto& mask = proto.masked_remote_address();
      return RateLimitAction{
          "masked_remote_address",
          RateLimitAction::MaskedRemote{mask.has_v4_prefix_mask_len() ? mask.v4_prefix_mask_len().value() : 32,
                                        mask.has_v6_prefix_mask_len() ? mask.v6_prefix_mask_len().value() : 128}};
    }
    case A::kGenericKey: {
      const A::GenericKey& generic = proto.generic_key();
      auto text = compile_text(generic, A::GenericKey::kDescriptorValueFieldNumber, generic.descriptor_value(),
                               generic.default_value(), scope);
      if (!text) return std::nullopt;
      return RateLimitAction{key_or(generic.descriptor_key(), "generic_key"), std::move(*text)};
    }
    case A::kHeaderValueMatch:
      return compile_header_match(proto.header_value_match(), scope);
    case A::kQueryParameterValueMatch:
      return compile_query_match(proto.query_parameter_value_match(), scope);
    case A::kDynamicMetadata:
      scope.error(proto, A::kDynamicMetadataFieldNumber, "is deprecated and no longer allowed; use metadata");
      return RateLimitAction{proto.dynamic_metadata().descriptor_key(),
                             compile_metadata_action(proto.dynamic_metadata())};
    case A::kMetadata: {
      const A::MetaData& metadata = proto.metadata();
      RateLimitAction::OfMetadata out = compile_metadata_action(metadata);
      if (metadata.source() == A::MetaData::ROUTE_ENTRY) {
        out.source = RateLimitAction::OfMetadata::Source::kRoute;
      } else if (metadata.source() != A::MetaData::DYNAMIC) {
        scope.not_supported(metadata, A::MetaData::kSourceFieldNumber);
      }
      out.skip_if_absent = metadata.skip_if_absent();
      return RateLimitAction{metadata.descriptor_key(), std::move(out)};
    }
    case A::ACTION_SPECIFIER_NOT_SET:
      return std::nullopt;  // validation has told
    default:
      scope.not_supported(proto, static_cast<int>(proto.action_specifier_case()));
      return std::nullopt;
  }
}

}  // namespace

model::RateLimits compile_rate_limits(const google::protobuf::RepeatedPtrField<RateLimitProto>& limits,
                                      CompileScope& scope) {
  model::RateLimits out;
  for (const RateLimitProto& proto : limits) {
    // disable_key and limit are for the filter that asks a service, which is refused.
    scope.only(proto, {RateLimitProto::kStageFieldNumber, RateLimitProto::kActionsFieldNumber,
                       RateLimitProto::kHitsAddendFieldNumber, RateLimitProto::kApplyOnStreamDoneFieldNumber,
                       RateLimitProto::kDisableKeyFieldNumber, RateLimitProto::kLimitFieldNumber});
    model::RateLimit one;
    one.stage = proto.stage().value();
    one.on_stream_done = proto.apply_on_stream_done();
    if (proto.hits_addend().has_number()) one.hits = proto.hits_addend().number().value();
    if (!proto.hits_addend().format().empty()) {
      one.hits_format = scope.formatter(proto.hits_addend(), RateLimitProto::HitsAddend::kFormatFieldNumber,
                                        proto.hits_addend().format(), kEmptyWhenUnset);
    }
    if (proto.hits_addend().is_negative_hits()) {
      scope.not_supported(proto.hits_addend(), RateLimitProto::HitsAddend::kIsNegativeHitsFieldNumber);
    }
    for (const A& action : proto.actions()) {
      if (auto compiled = compile_action(action, scope)) one.actions.push_back(std::move(*compiled));
    }
    out.push_back(std::move(one));
  }
  return out;
}

model::RateLimits compile_route_limits(const google::protobuf::RepeatedPtrField<RateLimitProto>& limits,
                                       CompileScope& scope) {
  model::RateLimits out;
  model::RateLimits all = compile_rate_limits(limits, scope);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!limits[static_cast<int>(i)].disable_key().empty()) continue;
    all[i].hits = 1;
    all[i].hits_format.reset();
    out.push_back(std::move(all[i]));
  }
  return out;
}

}  // namespace sluice::config
