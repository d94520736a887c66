#include "config/tracing_compiler.h"

#include <cmath>
#include <utility>

#include "base/strings.h"
#include "config/custom_tag_compiler.h"

namespace sluice::config {

namespace {

using Hcm = envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::config::route::v3::Route;
using RouteTracing = envoy::config::route::v3::Tracing;
using envoy::type::v3::FractionalPercent;

constexpr std::string_view kClientKey = "tracing.client_enabled";
constexpr std::string_view kRandomKey = "tracing.random_sampling";
constexpr std::string_view kOverallKey = "tracing.global_enabled";

runtime::Fraction share(uint32_t numerator, uint32_t denominator, std::string_view key, CompileScope& scope) {
  runtime::Fraction out;
  out.numerator = numerator;
  out.denominator = denominator;
  out.runtime_key = key;
  return scope.runtime.fraction(std::move(out));
}

runtime::Fraction share(bool is_set, const FractionalPercent& proto, std::string_view key, CompileScope& scope) {
  if (!is_set) return share(100, 100, key, scope);
  const uint32_t denominator = proto.denominator() == FractionalPercent::MILLION        ? 1'000'000
                               : proto.denominator() == FractionalPercent::TEN_THOUSAND ? 10'000
                                                                                        : 100;
  return share(proto.numerator(), denominator, key, scope);
}

// Both messages have these fields.
template <typename Proto>
model::SpanNames compile_names(const Proto& proto, CompileScope& scope) {
  constexpr format::ParseOptions kOptions{.unset = format::ParseOptions::Unset::kNothing};
  model::SpanNames out;
  if (!proto.operation().empty()) {
    out.request = scope.formatter(proto, Proto::kOperationFieldNumber, proto.operation(), kOptions);
  }
  if (!proto.upstream_operation().empty()) {
    out.upstream = scope.formatter(proto, Proto::kUpstreamOperationFieldNumber, proto.upstream_operation(), kOptions);
  }
  return out;
}

}  // namespace

std::shared_ptr<const model::TracerPlan> compile_tracer(const envoy::config::trace::v3::Tracing::Http& proto,
                                                        CompileScope& scope) {
  using Http = envoy::config::trace::v3::Tracing::Http;
  if (!proto.has_typed_config()) {
    scope.error(proto, Http::kTypedConfigFieldNumber, "is missing");
    return nullptr;
  }
  const google::protobuf::Message* message = scope.unpack(proto.typed_config());
  if (message == nullptr) return nullptr;
  const std::string& type = message->GetDescriptor()->full_name();
  const TracerType* found = scope.extensions().tracer(type);
  if (found == nullptr) {
    scope.error(proto, Http::kTypedConfigFieldNumber, cat("not supported yet: ", type));
    return nullptr;
  }
  return found->compile(*message, scope);
}

std::shared_ptr<const model::TracingPlan> compile_tracing(const Hcm::Tracing& proto, CompileScope& scope) {
  using T = Hcm::Tracing;
  scope.only(proto, {T::kClientSamplingFieldNumber, T::kRandomSamplingFieldNumber, T::kOverallSamplingFieldNumber,
                     T::kMaxPathTagLengthFieldNumber, T::kCustomTagsFieldNumber, T::kProviderFieldNumber,
                     T::kSpawnUpstreamSpanFieldNumber, T::kNoContextPropagationFieldNumber, T::kOperationFieldNumber,
                     T::kUpstreamOperationFieldNumber});
  auto out = std::make_shared<model::TracingPlan>();
  const auto whole = [](bool is_set, double percent) { return is_set ? static_cast<uint32_t>(percent) : 100; };
  out->sampling.client =
      share(whole(proto.has_client_sampling(), proto.client_sampling().value()), 100, kClientKey, scope);
  out->sampling.random = share(
      proto.has_random_sampling() ? static_cast<uint32_t>(std::lround(proto.random_sampling().value() * 100)) : 10'000,
      10'000, kRandomKey, scope);
  out->sampling.overall =
      share(whole(proto.has_overall_sampling(), proto.overall_sampling().value()), 100, kOverallKey, scope);
  out->tags = compile_custom_tags(proto.custom_tags(), scope);
  out->names = compile_names(proto, scope);
  if (proto.has_max_path_tag_length()) out->max_path_tag_length = proto.max_path_tag_length().value();
  out->spawn_upstream_span = proto.spawn_upstream_span().value();
  out->propagate_context = !proto.no_context_propagation();
  out->tracer = proto.has_provider() ? compile_tracer(proto.provider(), scope) : scope.tracer;
  return out->tracer == nullptr ? nullptr : out;
}

std::shared_ptr<const model::RouteTracing> compile_route_tracing(const Route& proto, CompileScope& scope) {
  if (!proto.has_decorator() && !proto.has_tracing()) return nullptr;
  auto out = std::make_shared<model::RouteTracing>();
  out->operation = proto.decorator().operation();
  out->propagate = !proto.decorator().has_propagate() || proto.decorator().propagate().value();
  if (proto.has_tracing()) {
    const RouteTracing& tracing = proto.tracing();
    scope.only(tracing, {RouteTracing::kClientSamplingFieldNumber, RouteTracing::kRandomSamplingFieldNumber,
                         RouteTracing::kOverallSamplingFieldNumber, RouteTracing::kCustomTagsFieldNumber,
                         RouteTracing::kOperationFieldNumber, RouteTracing::kUpstreamOperationFieldNumber});
    out->sampling =
        model::Sampling{share(tracing.has_client_sampling(), tracing.client_sampling(), kClientKey, scope),
                        share(tracing.has_random_sampling(), tracing.random_sampling(), kRandomKey, scope),
                        share(tracing.has_overall_sampling(), tracing.overall_sampling(), kOverallKey, scope)};
    out->tags = compile_custom_tags(tracing.custom_tags(), scope);
    out->names = compile_names(tracing, scope);
  }
  return out;
}

}  // namespace sluice::config
