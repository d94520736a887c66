#include "config/tracing_compiler.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/strings.h"
#include "envoy/config/trace/v3/http_tracer.pb.h"

namespace sluice::config {

namespace {

using envoy::type::tracing::v3::CustomTag;
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

void compile_metadata(const CustomTag::Metadata& proto, model::CustomTag& out, CompileScope& scope) {
  using envoy::type::metadata::v3::MetadataKind;
  scope.only(proto, {CustomTag::Metadata::kKindFieldNumber, CustomTag::Metadata::kMetadataKeyFieldNumber,
                     CustomTag::Metadata::kDefaultValueFieldNumber});
  out.from = model::CustomTag::From::kMetadata;
  out.text = proto.default_value();
  out.space = proto.metadata_key().key();
  for (const auto& part : proto.metadata_key().path()) out.path.push_back(part.key());
  switch (proto.kind().kind_case()) {
    case MetadataKind::kRoute:
      out.metadata = &format::Facts::route_metadata;
      break;
    case MetadataKind::kCluster:
      out.metadata = &format::Facts::cluster_metadata;
      break;
    case MetadataKind::kHost:
      out.metadata = &format::Facts::upstream_metadata;
      break;
    default:
      out.metadata = &format::Facts::metadata;
      break;
  }
}

std::vector<model::CustomTag> compile_tags(const google::protobuf::RepeatedPtrField<CustomTag>& protos,
                                           CompileScope& scope) {
  std::vector<model::CustomTag> out;
  for (const CustomTag& proto : protos) {
    scope.only(proto,
               {CustomTag::kTagFieldNumber, CustomTag::kLiteralFieldNumber, CustomTag::kEnvironmentFieldNumber,
                CustomTag::kRequestHeaderFieldNumber, CustomTag::kMetadataFieldNumber, CustomTag::kValueFieldNumber});
    model::CustomTag& tag = out.emplace_back();
    tag.name = proto.tag();
    switch (proto.type_case()) {
      case CustomTag::kLiteral:
        tag.text = proto.literal().value();
        break;
      case CustomTag::kEnvironment: {
        const char* value = std::getenv(proto.environment().name().c_str());
        tag.text = value != nullptr ? std::string(value) : proto.environment().default_value();
        break;
      }
      case CustomTag::kRequestHeader:
        tag.from = model::CustomTag::From::kHeader;
        tag.header = to_lower(proto.request_header().name());
        tag.text = proto.request_header().default_value();
        break;
      case CustomTag::kMetadata:
        compile_metadata(proto.metadata(), tag, scope);
        break;
      case CustomTag::kValue:
        tag.from = model::CustomTag::From::kFormat;
        tag.format = scope.formatter(proto, CustomTag::kValueFieldNumber, proto.value(),
                                     {.unset = format::ParseOptions::Unset::kNothing});
        if (!tag.format) out.pop_back();
        break;
      case CustomTag::TYPE_NOT_SET:
        break;  // validation has refused it
    }
  }
  return out;
}

std::shared_ptr<const model::TracerPlan> compile_provider(const envoy::config::trace::v3::Tracing::Http& proto,
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

}  // namespace

std::shared_ptr<const model::TracingPlan> compile_tracing(const Hcm::Tracing& proto, CompileScope& scope) {
  using T = Hcm::Tracing;
  scope.only(proto, {T::kClientSamplingFieldNumber, T::kRandomSamplingFieldNumber, T::kOverallSamplingFieldNumber,
                     T::kMaxPathTagLengthFieldNumber, T::kCustomTagsFieldNumber, T::kProviderFieldNumber,
                     T::kSpawnUpstreamSpanFieldNumber, T::kNoContextPropagationFieldNumber});
  auto out = std::make_shared<model::TracingPlan>();
  const auto whole = [](bool is_set, double percent) { return is_set ? static_cast<uint32_t>(percent) : 100; };
  out->sampling.client =
      share(whole(proto.has_client_sampling(), proto.client_sampling().value()), 100, kClientKey, scope);
  out->sampling.random = share(
      proto.has_random_sampling() ? static_cast<uint32_t>(std::lround(proto.random_sampling().value() * 100)) : 10'000,
      10'000, kRandomKey, scope);
  out->sampling.overall =
      share(whole(proto.has_overall_sampling(), proto.overall_sampling().value()), 100, kOverallKey, scope);
  out->tags = compile_tags(proto.custom_tags(), scope);
  if (proto.has_max_path_tag_length()) out->max_path_tag_length = proto.max_path_tag_length().value();
  out->spawn_upstream_span = proto.spawn_upstream_span().value();
  out->propagate_context = !proto.no_context_propagation();
  if (!proto.has_provider()) return nullptr;
  out->tracer = compile_provider(proto.provider(), scope);
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
                         RouteTracing::kOverallSamplingFieldNumber, RouteTracing::kCustomTagsFieldNumber});
    out->sampling =
        model::Sampling{share(tracing.has_client_sampling(), tracing.client_sampling(), kClientKey, scope),
                        share(tracing.has_random_sampling(), tracing.random_sampling(), kRandomKey, scope),
                        share(tracing.has_overall_sampling(), tracing.overall_sampling(), kOverallKey, scope)};
    out->tags = compile_tags(tracing.custom_tags(), scope);
  }
  return out;
}

}  // namespace sluice::config
