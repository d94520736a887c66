// Compiler of the objects that filters leave in the filter state.
#pragma once

#include <optional>

#include "config/compile_scope.h"
#include "envoy/extensions/filters/common/set_filter_state/v3/value.pb.h"
#include "format/filter_state_value.h"

namespace sluice::config {

// None after an error.
std::optional<format::FilterStateValue> compile_filter_state_value(
    const envoy::extensions::filters::common::set_filter_state::v3::FilterStateValue& proto, CompileScope& scope);

}  // namespace sluice::config
