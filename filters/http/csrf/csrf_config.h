// CsrfPolicy -> CsrfFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::csrf {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::csrf
