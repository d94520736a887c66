// The configuration of the local_ratelimit network filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::network_local_ratelimit {

config::NetworkFilterType extension();

}  // namespace sluice::filters::network_local_ratelimit
