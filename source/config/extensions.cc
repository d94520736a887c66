#include "config/extensions.h"

#include "base/check.h"

namespace sluice::config {

void Extensions::add(const HttpFilterType& filter) {
  SLUICE_CHECK(http_.emplace(filter.type, filter).second);
  if (!filter.route_type.empty()) SLUICE_CHECK(http_by_route_.emplace(filter.route_type, filter.type).second);
}

void Extensions::add(const NetworkFilterType& filter) { SLUICE_CHECK(network_.emplace(filter.type, filter).second); }

void Extensions::add(const ListenerFilterType& filter) { SLUICE_CHECK(listener_.emplace(filter.type, filter).second); }

void Extensions::add(const TracerType& tracer) { SLUICE_CHECK(tracers_.emplace(tracer.type, tracer).second); }

void Extensions::add(const AccessLoggerType& logger) {
  SLUICE_CHECK(access_loggers_.emplace(logger.type, logger).second);
}

const HttpFilterType* Extensions::http_filter(std::string_view type) const {
  const auto at = http_.find(type);
  return at == http_.end() ? nullptr : &at->second;
}

const HttpFilterType* Extensions::http_filter_by_route_type(std::string_view type) const {
  const auto at = http_by_route_.find(type);
  return at == http_by_route_.end() ? nullptr : http_filter(at->second);
}

const NetworkFilterType* Extensions::network_filter(std::string_view type) const {
  const auto at = network_.find(type);
  return at == network_.end() ? nullptr : &at->second;
}

const ListenerFilterType* Extensions::listener_filter(std::string_view type) const {
  const auto at = listener_.find(type);
  return at == listener_.end() ? nullptr : &at->second;
}

std::vector<std::pair<std::string, std::string_view>> Extensions::types() const {
  std::vector<std::pair<std::string, std::string_view>> out;
  for (const auto& [type, filter] : http_) out.emplace_back("envoy.filters.http", type);
  for (const auto& [type, filter] : network_) out.emplace_back("envoy.filters.network", type);
  for (const auto& [type, filter] : listener_) out.emplace_back("envoy.filters.listener", type);
  for (const auto& [type, tracer] : tracers_) out.emplace_back("envoy.tracers", type);
  for (const auto& [type, logger] : access_loggers_) out.emplace_back("envoy.access_loggers", type);
  return out;
}

const TracerType* Extensions::tracer(std::string_view type) const {
  const auto at = tracers_.find(type);
  return at == tracers_.end() ? nullptr : &at->second;
}

const AccessLoggerType* Extensions::access_logger(std::string_view type) const {
  const auto at = access_loggers_.find(type);
  return at == access_loggers_.end() ? nullptr : &at->second;
}

}  // namespace sluice::config
