// Config -> SetMetadataFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::set_metadata {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::set_metadata
