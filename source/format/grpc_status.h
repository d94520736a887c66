// The gRPC status of an exchange: from the response, or mapped from its HTTP code.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "format/facts.h"

namespace sluice::format {

// Nothing for exchanges that are not gRPC (by the request's content-type). Else grpc-status of the trailers or of the
// headers, else the HTTP code mapped as gRPC says; numbers that gRPC does not know pass through.
std::optional<uint32_t> grpc_status(const Facts& facts);
// As Envoy's access-log filter sees it: also for exchanges that are not gRPC.
uint32_t grpc_status_or_mapped(const Facts& facts);

// "DeadlineExceeded" and "DEADLINE_EXCEEDED"; empty for a number that gRPC does not know.
std::string_view camel_name_of(uint32_t grpc_status);
std::string_view snake_name_of(uint32_t grpc_status);

}  // namespace sluice::format
