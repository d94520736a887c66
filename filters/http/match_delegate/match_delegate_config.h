// ExtensionWithMatcher, Composite and their per-route messages -> MatchDelegateFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::match_delegate {

// The filters as extensions.
config::HttpFilterType extension();
config::HttpFilterType composite_extension();

}  // namespace sluice::filters::match_delegate
