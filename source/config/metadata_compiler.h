// Compilers of metadata and filter state: what the configuration says of them, and the conditions on them.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <optional>

#include "base/metadata.h"
#include "config/compile_scope.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/type/matcher/v3/filter_state.pb.h"
#include "envoy/type/matcher/v3/metadata.pb.h"
#include "envoy/type/matcher/v3/value.pb.h"
#include "match/path_template.h"
#include "match/value_matcher.h"
#include "model/filter_state_matcher.h"

namespace sluice::config {

Value to_value(const google::protobuf::Value& proto);
Value::Map to_map(const google::protobuf::Struct& proto);

// filter_metadata; null when there is none. typed_filter_metadata is for extensions, none of which reads it.
MetadataPtr compile_metadata(const envoy::config::core::v3::Metadata& proto);

match::ValueMatcher compile_value_matcher(const envoy::type::matcher::v3::ValueMatcher& proto, CompileScope& scope);
match::MetadataMatcher compile_metadata_matcher(const envoy::type::matcher::v3::MetadataMatcher& proto,
                                                CompileScope& scope);
model::FilterStateMatcher compile_filter_state_matcher(const envoy::type::matcher::v3::FilterStateMatcher& proto,
                                                       CompileScope& scope);

// The UriTemplateMatchConfig that stands in an Any; none after an error.
std::optional<match::PathTemplate> compile_path_template(const google::protobuf::Any& any, CompileScope& scope);

}  // namespace sluice::config
