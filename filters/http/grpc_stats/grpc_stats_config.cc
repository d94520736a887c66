#include "filters/http/grpc_stats/grpc_stats_config.h"

#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/grpc_stats/v3/config.pb.h"
#include "filters/http/grpc_stats/grpc_stats.h"

namespace sluice::filters::grpc_stats {
namespace {

using Proto = envoy::extensions::filters::http::grpc_stats::v3::FilterConfig;

std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message& message, config::CompileScope&) {
  const auto& proto = static_cast<const Proto&>(message);
  Settings out;
  out.emit_filter_state = proto.emit_filter_state();
  out.all_methods = proto.stats_for_all_methods().value();
  for (const auto& service : proto.individual_method_stats_allowlist().services()) {
    for (const std::string& method : service.method_names()) out.methods.emplace(service.name(), method);
  }
  out.upstream_time = proto.enable_upstream_stats();
  out.replace_dots = proto.replace_dots_in_grpc_service_name();
  return std::make_shared<const GrpcStatsFactory>(std::move(out));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig", .compile = &compile};
}

}  // namespace sluice::filters::grpc_stats
