// Compiler of custom tags: of spans, and of the entries of access logs.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "config/compile_scope.h"
#include "envoy/type/tracing/v3/custom_tag.pb.h"
#include "model/custom_tag.h"

namespace sluice::config {

std::vector<model::CustomTag> compile_custom_tags(
    const google::protobuf::RepeatedPtrField<envoy::type::tracing::v3::CustomTag>& protos, CompileScope& scope);

}  // namespace sluice::config
