// The exporters of this build: an explicit list, as filters/builtin.h is.
#pragma once

#include "config/extensions.h"

namespace sluice::exporters {

void add_to(config::Extensions& extensions);

}  // namespace sluice::exporters
