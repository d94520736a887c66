// Decompressor -> DecompressorFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::decompressor {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::decompressor
