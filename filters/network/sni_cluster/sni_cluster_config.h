// The configuration of the sni_cluster filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::sni_cluster {

config::NetworkFilterType extension();

}  // namespace sluice::filters::sni_cluster
