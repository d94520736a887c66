// Buffer and BufferPerRoute -> BufferFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::buffer {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::buffer
