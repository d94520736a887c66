// RBAC and RBACPerRoute -> RbacFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::rbac {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::rbac
