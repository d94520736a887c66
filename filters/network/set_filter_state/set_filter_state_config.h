// Config -> SetFilterState.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::network_set_filter_state {

// The filter as an extension.
config::NetworkFilterType extension();

}  // namespace sluice::filters::network_set_filter_state
