#include "filters/http/router/router_config.h"

#include "config/access_log_compiler.h"
#include "config/compile_scope.h"
#include "config/filter_compiler.h"
#include "config/well_known.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "filters/http/router/router.h"

namespace sluice::filters::router {
namespace {

using Proto = envoy::extensions::filters::http::router::v3::Router;

std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message& message,
                                                   config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kDynamicStatsFieldNumber, Proto::kSuppressEnvoyHeadersFieldNumber,
                     Proto::kStrictCheckHeadersFieldNumber, Proto::kRespectExpectedRqTimeoutFieldNumber,
                     Proto::kUpstreamLogFieldNumber, Proto::kUpstreamLogOptionsFieldNumber,
                     Proto::kStartChildSpanFieldNumber, Proto::kUpstreamHttpFiltersFieldNumber});
  RouterOptions options;
  options.dynamic_stats = !proto.has_dynamic_stats() || proto.dynamic_stats().value();
  options.suppress_envoy_headers = proto.suppress_envoy_headers();
  options.start_child_span = proto.start_child_span();
  options.upstream_filters = config::compile_upstream_filters(proto.upstream_http_filters(), scope);
  options.upstream_logs = config::compile_access_logs(proto.upstream_log(), scope);
  options.log_at_stream = proto.upstream_log_options().flush_upstream_log_on_upstream_stream();
  options.log_interval = config::to_duration(proto.upstream_log_options().upstream_log_flush_interval());
  options.respect_expected_timeout = proto.respect_expected_rq_timeout();
  // Validation lets only such names through as can be checked.
  for (const std::string& name : proto.strict_check_headers()) options.strict_headers.push_back(http::token_of(name));
  return std::make_shared<const RouterFactory>(std::move(options));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.router.v3.Router", .compile = &compile, .terminal = true};
}

}  // namespace sluice::filters::router
