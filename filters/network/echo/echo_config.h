// The configuration of the echo filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::echo {

config::NetworkFilterType extension();

}  // namespace sluice::filters::echo
