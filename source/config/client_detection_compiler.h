// Compiler of original_ip_detection_extensions.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "model/client_detection.h"

namespace sluice::config {

std::vector<model::ClientDetection> compile_client_detections(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& extensions,
    CompileScope& scope);

}  // namespace sluice::config
