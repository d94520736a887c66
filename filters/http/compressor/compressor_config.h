// Compressor and CompressorPerRoute -> CompressorFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::compressor {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::compressor
