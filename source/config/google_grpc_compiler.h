// GrpcService.GoogleGrpc -> how gRPC's own library reaches a service.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/core/v3/grpc_service.pb.h"
#include "model/google_grpc.h"

namespace sluice::config {

// Reads the files that it names. After an error what comes back is not whole.
model::GoogleGrpc compile_google_grpc(const envoy::config::core::v3::GrpcService::GoogleGrpc& proto,
                                      CompileScope& scope);

}  // namespace sluice::config
