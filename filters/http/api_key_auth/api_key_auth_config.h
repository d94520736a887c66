// ApiKeyAuth and ApiKeyAuthPerRoute -> ApiKeyAuthFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::api_key_auth {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::api_key_auth
