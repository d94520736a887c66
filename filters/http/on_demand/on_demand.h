// on_demand: a request waits while the virtual host (VHDS) or the cluster (ODCDS) that it needs is asked for.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/on_demand_updates_filter
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/config_source.h"
#include "proxy/filter.h"

namespace sluice::filters::on_demand {

// Where clusters are asked for. A plain value.
struct Odcds {
  model::ConfigSource source;
  Duration timeout = std::chrono::seconds(5);
};

// What a route says; null: clusters are not asked for. Immutable. Thread: any.
class Settings final : public model::FilterConfig {
 public:
  std::optional<Odcds> odcds;
};

// Thread: any (immutable).
class OnDemandFactory final : public proxy::HttpFilterFactory {
 public:
  OnDemandFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  // In force for the exchange's route.
  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  const std::string name_;
  const std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::on_demand
