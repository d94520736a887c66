// The configuration of the rbac network filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::network_rbac {

config::NetworkFilterType extension();

}  // namespace sluice::filters::network_rbac
