// Compiler of formats with command operators, as access logs, local replies and header rules write them.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>
#include <google/protobuf/struct.pb.h>

#include <optional>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/config/core/v3/substitution_format_string.pb.h"
#include "format/formatter.h"
#include "format/json_node.h"

namespace sluice::config {

// Text, text from a file, or JSON, with its formatter extensions; none after an error. content_type is the caller's.
std::optional<format::Formatter> compile_format(const envoy::config::core::v3::SubstitutionFormatString& proto,
                                                CompileScope& scope);

// The extensions that a format names, into the options for its parts. Unknown ones are errors.
void compile_formatters(const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& formatters,
                        format::ParseOptions& options, CompileScope& scope);

format::JsonNode to_json_node(const google::protobuf::Struct& proto);

}  // namespace sluice::config
