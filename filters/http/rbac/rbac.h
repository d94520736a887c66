// rbac: answers 403 to requests that its policies deny; shadow policies are only counted.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/rbac_filter
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/rbac.h"
#include "proxy/filter.h"

namespace sluice::filters::rbac {

// The filter's own, or a route's in place of it. Thread: any (immutable).
class Settings final : public model::FilterConfig {
 public:
  std::shared_ptr<const model::Rbac> rules, shadow_rules;  // null: none
  std::string stat_prefix, shadow_stat_prefix;
  bool track_rules = false;  // each policy has counters of its own
};

// Thread: any (immutable).
class RbacFactory final : public proxy::HttpFilterFactory {
 public:
  RbacFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;

  const Settings& own() const { return *settings_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::rbac
