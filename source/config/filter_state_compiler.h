// Compiler of the objects that filters leave in the filter state.
#pragma once

#include <optional>

#include "base/filter_state.h"
#include "config/compile_scope.h"
#include "envoy/extensions/filters/common/set_filter_state/v3/value.pb.h"
#include "format/formatter.h"

namespace sluice::config {

// An object, but for its text, which a format makes.
struct FilterStateValue {
  FilterState::Object object;
  format::Formatter text;
  bool skip_if_empty = false;
};

// None after an error.
std::optional<FilterStateValue> compile_filter_state_value(
    const envoy::extensions::filters::common::set_filter_state::v3::FilterStateValue& proto, CompileScope& scope);

}  // namespace sluice::config
