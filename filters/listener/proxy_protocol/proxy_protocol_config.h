// The configuration of the proxy_protocol listener filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::proxy_protocol {

config::ListenerFilterType extension();

}  // namespace sluice::filters::proxy_protocol
