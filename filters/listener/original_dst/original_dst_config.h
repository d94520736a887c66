// The configuration of the original_dst listener filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::original_dst {

config::ListenerFilterType extension();

}  // namespace sluice::filters::original_dst
