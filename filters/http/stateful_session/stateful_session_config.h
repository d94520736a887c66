// StatefulSession -> StatefulSessionFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::stateful_session {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::stateful_session
