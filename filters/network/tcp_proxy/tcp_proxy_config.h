// The configuration of the tcp_proxy filter.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::tcp_proxy {

config::NetworkFilterType extension();

}  // namespace sluice::filters::tcp_proxy
