#include "proxy/grpc_counters.h"

#include <utility>

#include "base/strings.h"
#include "http/path.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

std::optional<GrpcMethod> grpc_method(std::string_view target) {
  const auto parts = split(http::split_target(target).path, '/');
  if (parts.size() != 3 || !parts[0].empty() || parts[1].empty() || parts[2].empty()) return std::nullopt;
  return GrpcMethod{parts[1], parts[2]};
}

void GrpcCounters::begin(Exchange& exchange, const http::RequestHeaders& request, std::string prefix) {
  const model::Route* route = exchange.route().route;
  const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
  cluster_ =
      forward == nullptr ? nullptr : exchange.clusters().find(forward->cluster_name(exchange.weighted(), request));
  prefix_ = std::move(prefix);
}

void GrpcCounters::add(std::string_view counter, uint64_t amount) {
  if (counts()) cluster_->named_stats().add(cat(prefix_, counter), amount);
}

void GrpcCounters::record(std::string_view histogram, uint64_t value) {
  if (counts()) cluster_->named_stats().record(cat(prefix_, histogram), value);
}

void GrpcCounters::count_end(std::string_view grpc_status) {
  if (const auto number = parse_number<uint32_t>(grpc_status)) add(cat(*number), 1);
  add(grpc_status == "0" ? "success" : "failure", 1);
  add("total", 1);
}

}  // namespace sluice::proxy
