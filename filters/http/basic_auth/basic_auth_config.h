// BasicAuth and BasicAuthPerRoute -> BasicAuthFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::basic_auth {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::basic_auth
