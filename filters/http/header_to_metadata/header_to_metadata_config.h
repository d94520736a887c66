// Config -> HeaderToMetadataFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::header_to_metadata {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::header_to_metadata
