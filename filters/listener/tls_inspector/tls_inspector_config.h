// The configuration of the tls_inspector listener filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::tls_inspector {

config::ListenerFilterType extension();

}  // namespace sluice::filters::tls_inspector
