// The configuration of the connection_limit filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::connection_limit {

config::NetworkFilterType extension();

}  // namespace sluice::filters::connection_limit
