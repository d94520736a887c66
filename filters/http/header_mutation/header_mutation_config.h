// HeaderMutation and HeaderMutationPerRoute -> HeaderMutationFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::header_mutation {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::header_mutation
