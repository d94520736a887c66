// The configuration of the local_ratelimit listener filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::listener_local_ratelimit {

config::ListenerFilterType extension();

}  // namespace sluice::filters::listener_local_ratelimit
