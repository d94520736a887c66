// IPTagging -> IpTaggingFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::ip_tagging {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::ip_tagging
