#include "proxy/grpc_counters.h"

#include "base/strings.h"
#include "http/path.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

std::string cluster_scope(Exchange& exchange, const http::RequestHeaders& request) {
  const model::Route* route = exchange.route().route;
  const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
  const upstream::Cluster* cluster =
      forward == nullptr ? nullptr : exchange.clusters().find(forward->cluster_name(exchange.weighted(), request));
  return cluster == nullptr ? std::string() : cluster->plan().stat_prefix();
}

std::optional<GrpcMethod> grpc_method(std::string_view target) {
  const auto parts = split(http::split_target(target).path, '/');
  if (parts.size() != 3 || !parts[0].empty() || parts[1].empty() || parts[2].empty()) return std::nullopt;
  return GrpcMethod{parts[1], parts[2]};
}

GrpcCounters::GrpcCounters(const FilterPlace& place) : cells_(place.local.cells) {}

stats::Single* GrpcCounters::single(stats::Kind kind, const std::string& name) {
  const auto found = stats_.find(name);
  if (found != stats_.end()) return &found->second;
  return stats_.size() < kMost ? &stats_.emplace(name, cells_.single(kind, name)).first->second : nullptr;
}

void GrpcCounters::add(const std::string& counter, uint64_t amount) {
  if (stats::Single* const found = single(stats::Kind::kCounter, counter)) found->add(amount);
}

void GrpcCounters::record(const std::string& histogram, uint64_t value) {
  if (stats::Single* const found = single(stats::Kind::kHistogram, histogram)) found->record(value);
}

void GrpcCounters::count_end(std::string_view scope, std::string_view grpc_status) {
  if (const auto number = parse_number<uint32_t>(grpc_status)) add(cat(scope, *number), 1);
  add(cat(scope, grpc_status == "0" ? "success" : "failure"), 1);
  add(cat(scope, "total"), 1);
}

}  // namespace sluice::proxy
