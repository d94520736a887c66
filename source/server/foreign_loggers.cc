#include "server/foreign_loggers.h"

#include <algorithm>

namespace sluice::server {
namespace {

constexpr std::string_view kForeignLoggers[] = {"a2a",
                                                "ai_protocol_manager",
                                                "alternate_protocols_cache",
                                                "assert",
                                                "aws",
                                                "backtrace",
                                                "basic_auth",
                                                "cache_filter",
                                                "compression",
                                                "conn_handler",
                                                "credential_injector",
                                                "decompression",
                                                "dns",
                                                "dubbo",
                                                "dynamic_modules",
                                                "envoy_bug",
                                                "ext_authz",
                                                "ext_proc",
                                                "forward_proxy",
                                                "geolocation",
                                                "golang",
                                                "grpc",
                                                "happy_eyeballs",
                                                "hc",
                                                "health_checker",
                                                "http2",
                                                "hystrix",
                                                "init",
                                                "io",
                                                "ip_tagging",
                                                "json_rpc",
                                                "jwt",
                                                "kafka",
                                                "key_value_store",
                                                "local_rate_limit",
                                                "lua",
                                                "matcher",
                                                "mcp",
                                                "misc",
                                                "mongo",
                                                "multi_connection",
                                                "notification",
                                                "oauth2",
                                                "quic",
                                                "quic_stream",
                                                "rate_limit_quota",
                                                "rbac",
                                                "rds",
                                                "redis",
                                                "rocketmq",
                                                "secret",
                                                "sse",
                                                "stats",
                                                "stats_sinks",
                                                "tap",
                                                "testing",
                                                "thrift",
                                                "tracing",
                                                "udp",
                                                "wasm",
                                                "websocket"};

}  // namespace

bool is_foreign_logger(std::string_view name) {
  return std::find(std::begin(kForeignLoggers), std::end(kForeignLoggers), name) != std::end(kForeignLoggers);
}

}  // namespace sluice::server
