// Compilers of the extensions of OpenTelemetry's tracer: samplers and resource detectors.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "exporters/otel_sampler.h"

namespace sluice::exporters {

// Null after an error.
std::shared_ptr<const OtelSampler> compile_sampler(const envoy::config::core::v3::TypedExtensionConfig& proto,
                                                   config::CompileScope& scope);

// Sets the attributes that the detectors find, in their order: the last one wins.
void compile_detectors(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& detectors,
    std::vector<std::pair<std::string, std::string>>& resource, config::CompileScope& scope);

}  // namespace sluice::exporters
