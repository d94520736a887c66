// HTTPFault -> FaultFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::fault {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::fault
