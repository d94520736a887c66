// Compilers of the protocol options that connection managers and clusters share.
#pragma once

#include "base/time.h"
#include "config/compile_scope.h"
#include "envoy/config/core/v3/protocol.pb.h"
#include "http/codec.h"
#include "http/http2_options.h"

namespace sluice::config {

// Which side the options are for: some fields mean nothing on the other one, and are refused there.
enum class Side { kDownstream, kUpstream };

// common_http_protocol_options. Unset durations leave what is there.
struct CommonHttpOptions {
  Duration idle_timeout = std::chrono::hours(1);
  Duration max_connection_duration{0};
  Duration max_stream_duration{0};
  uint32_t max_requests_per_connection = 0;
};
void compile_common_http_options(const envoy::config::core::v3::HttpProtocolOptions& proto, Side side,
                                 CommonHttpOptions& out, http::CodecOptions& codec, CompileScope& scope);

// http_protocol_options.
void compile_http1_options(const envoy::config::core::v3::Http1ProtocolOptions& proto, Side side,
                           http::CodecOptions& codec, CompileScope& scope);

// http2_protocol_options. What is not set keeps the value in `out`.
void compile_http2_options(const envoy::config::core::v3::Http2ProtocolOptions& proto, Side side,
                           http::Http2Options& out, CompileScope& scope);

}  // namespace sluice::config
