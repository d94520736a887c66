// Name and NamePerRoute -> NameFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::NAME {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::NAME
