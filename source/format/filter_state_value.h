// FilterStateValue: an object that a filter leaves in the filter state, made by a format.
#pragma once

#include "base/filter_state.h"
#include "format/facts.h"
#include "format/formatter.h"

namespace sluice::format {

// Immutable. Thread: any.
struct FilterStateValue {
  FilterState::Object object;  // but for its text
  Formatter text;
  bool skip_if_empty = false;

  // Nothing is left when the factory cannot read the text, as when an address is none.
  void leave_in(FilterState& state, const Facts& facts) const;
};

// Whether the objects of a factory are addresses, which have the fields "ip" and "port".
bool makes_addresses(std::string_view factory);

}  // namespace sluice::format
