// grpc-timeout: how long a gRPC client waits, and what routes make of it.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Timeout)
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "base/time.h"
#include "http/message.h"
#include "model/http_plan.h"

namespace sluice::proxy {

// "100m", "5S"; nothing when it is no such text. Fractions of a millisecond count as one.
std::optional<Duration> parse_grpc_timeout(std::string_view text);
// In milliseconds, or in a larger unit when eight digits are not enough.
std::string_view grpc_timeout_text(Duration timeout, Arena& arena);

// How long the stream may take by its route (max_stream_duration, and grpc-timeout where it counts) or its connection
// manager; nothing when there is no limit. Writes what is left into the grpc-timeout of the request.
std::optional<Duration> stream_duration(const model::HttpPlan& plan, const model::ForwardAction& action,
                                        http::RequestHeaders& request);

}  // namespace sluice::proxy
