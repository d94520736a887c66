// The configuration of the http_inspector listener filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::http_inspector {

config::ListenerFilterType extension();

}  // namespace sluice::filters::http_inspector
