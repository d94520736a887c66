// Config -> SetFilterStateFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::set_filter_state {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::set_filter_state
