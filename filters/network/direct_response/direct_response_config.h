// The configuration of the direct_response network filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::direct_response {

config::NetworkFilterType extension();

}  // namespace sluice::filters::direct_response
