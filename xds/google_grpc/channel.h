// GoogleGrpc -> a channel of gRPC's.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "model/google_grpc.h"

namespace sluice::xds {

// Never null; whoever cannot be reached with these credentials ends every stream with an error. Thread: any.
std::shared_ptr<grpc::Channel> open_channel(const model::GoogleGrpc& service);

}  // namespace sluice::xds
