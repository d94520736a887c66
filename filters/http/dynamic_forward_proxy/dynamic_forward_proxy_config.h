#pragma once

#include "config/extensions.h"

namespace sluice::filters::dynamic_forward_proxy {

config::HttpFilterType extension();

}  // namespace sluice::filters::dynamic_forward_proxy
