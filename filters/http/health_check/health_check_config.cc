#include "filters/http/health_check/health_check_config.h"

#include <algorithm>

#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/filters/http/health_check/v3/health_check.pb.h"
#include "filters/http/health_check/health_check.h"

namespace sluice::filters::health_check {
namespace {

using Proto = envoy::extensions::filters::http::health_check::v3::HealthCheck;
using config::CompileScope;

std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  HealthCheckFactory::Settings out;
  out.headers = config::compile_header_matchers(proto.headers(), scope);
  out.pass_through = proto.pass_through_mode().value();
  out.node_cluster = scope.node.cluster;
  for (const auto& [cluster, percent] : proto.cluster_min_healthy_percentages()) {
    out.min_healthy.emplace_back(cluster, percent.value());
  }
  std::sort(out.min_healthy.begin(), out.min_healthy.end());
  // Whole milliseconds count.
  const Duration life = config::to_duration(proto.cache_time());
  if (life >= std::chrono::milliseconds(1) && !out.pass_through) {
    scope.error(proto, Proto::kCacheTimeFieldNumber, "needs pass_through_mode: there is no answer to remember");
  }
  if (life >= std::chrono::milliseconds(1)) {
    out.cache = std::make_unique<Cache>(life);
  }
  return std::make_shared<const HealthCheckFactory>(std::move(out));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.health_check.v3.HealthCheck", .compile = &compile};
}

}  // namespace sluice::filters::health_check
