// GrpcWeb -> GrpcWebFactory.
#pragma once

#include "config/extensions.h"

namespace sluice::filters::grpc_web {

// The filter as an extension.
config::HttpFilterType extension();

}  // namespace sluice::filters::grpc_web
