// JsonToMetadata -> JsonToMetadataFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::json_to_metadata {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::json_to_metadata
