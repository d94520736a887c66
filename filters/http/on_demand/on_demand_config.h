// OnDemand -> OnDemandFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::on_demand {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::on_demand
