#include "exporters/otel_extensions_config.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "config/core_compiler.h"
#include "envoy/extensions/tracers/opentelemetry/resource_detectors/v3/environment_resource_detector.pb.h"
#include "envoy/extensions/tracers/opentelemetry/resource_detectors/v3/static_config_resource_detector.pb.h"
#include "envoy/extensions/tracers/opentelemetry/samplers/v3/always_on_sampler.pb.h"
#include "envoy/extensions/tracers/opentelemetry/samplers/v3/parent_based_sampler.pb.h"
#include "envoy/extensions/tracers/opentelemetry/samplers/v3/trace_id_ratio_based_sampler.pb.h"

namespace sluice::exporters {
namespace {

namespace core = envoy::config::core::v3;
namespace detectors = envoy::extensions::tracers::opentelemetry::resource_detectors::v3;
namespace samplers = envoy::extensions::tracers::opentelemetry::samplers::v3;
using config::CompileScope;

constexpr const char* kAttributes = "OTEL_RESOURCE_ATTRIBUTES";

void set(std::vector<std::pair<std::string, std::string>>& resource, std::string_view name, std::string_view value) {
  const auto old = std::find_if(resource.begin(), resource.end(), [&](const auto& one) { return one.first == name; });
  if (old != resource.end()) {
    old->second = value;
  } else {
    resource.emplace_back(name, value);
  }
}

// "name=value,name=value"
void from_environment(const core::TypedExtensionConfig& place,
                      std::vector<std::pair<std::string, std::string>>& resource, CompileScope& scope) {
  const char* const text = std::getenv(kAttributes);
  std::string_view rest = text == nullptr ? std::string_view() : std::string_view(text);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos || pair.find('=', equals + 1) != std::string_view::npos) {
      scope.error(place, cat("the environment variable ", kAttributes, " has '", pair, "' where name=value is needed"));
      return;
    }
    set(resource, pair.substr(0, equals), pair.substr(equals + 1));
  }
}

}  // namespace

std::shared_ptr<const OtelSampler> compile_sampler(const core::TypedExtensionConfig& proto, CompileScope& scope) {
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return nullptr;
  auto out = std::make_shared<OtelSampler>();
  const auto* type = content->GetDescriptor();
  if (type == samplers::AlwaysOnSamplerConfig::descriptor()) return out;
  if (type == samplers::TraceIdRatioBasedSamplerConfig::descriptor()) {
    using envoy::type::v3::FractionalPercent;
    const auto& share = static_cast<const samplers::TraceIdRatioBasedSamplerConfig&>(*content).sampling_percentage();
    out->kind = OtelSampler::Kind::kRatio;
    out->numerator = share.numerator();
    out->denominator = share.denominator() == FractionalPercent::MILLION        ? 1'000'000
                       : share.denominator() == FractionalPercent::TEN_THOUSAND ? 10'000
                                                                                : 100;
    return out;
  }
  if (type == samplers::ParentBasedSamplerConfig::descriptor()) {
    const auto& parent = static_cast<const samplers::ParentBasedSamplerConfig&>(*content);
    if (!parent.has_wrapped_sampler()) {
      scope.error(parent, samplers::ParentBasedSamplerConfig::kWrappedSamplerFieldNumber,
                  "needed: it decides where there is no parent");
      return nullptr;
    }
    out->kind = OtelSampler::Kind::kParent;
    out->root = compile_sampler(parent.wrapped_sampler(), scope);
    return out->root == nullptr ? nullptr : out;
  }
  scope.error(proto.typed_config(), type->full_name().starts_with("envoy.extensions.tracers.opentelemetry.samplers.")
                                        ? cat("not supported yet: ", type->full_name())
                                        : cat(type->full_name(), " is not a sampler"));
  return nullptr;
}

void compile_detectors(const google::protobuf::RepeatedPtrField<core::TypedExtensionConfig>& list,
                       std::vector<std::pair<std::string, std::string>>& resource, CompileScope& scope) {
  for (const core::TypedExtensionConfig& one : list) {
    const google::protobuf::Message* content = scope.unpack(one.typed_config());
    if (content == nullptr) continue;
    const auto* type = content->GetDescriptor();
    if (type == detectors::EnvironmentResourceDetectorConfig::descriptor()) {
      from_environment(one, resource, scope);
    } else if (type == detectors::StaticConfigResourceDetectorConfig::descriptor()) {
      const auto& attributes = static_cast<const detectors::StaticConfigResourceDetectorConfig&>(*content).attributes();
      const std::map<std::string, std::string> sorted(attributes.begin(), attributes.end());
      for (const auto& [name, value] : sorted) set(resource, name, value);
    } else {
      scope.error(one.typed_config(),
                  type->full_name().starts_with("envoy.extensions.tracers.opentelemetry.resource_detectors.")
                      ? cat("not supported yet: ", type->full_name())
                      : cat(type->full_name(), " detects no resource"));
    }
  }
}

}  // namespace sluice::exporters
