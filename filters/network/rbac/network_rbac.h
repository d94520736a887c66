// NetworkRbac: closes connections that its policies deny, when their first bytes come; shadow policies are only
// counted. https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/listeners/network_filters/rbac_filter
#pragma once

#include <memory>
#include <string>

#include "model/rbac.h"
#include "proxy/network_filter.h"

namespace sluice::filters::network_rbac {

// Compiled configuration. Thread: any (immutable).
struct Settings {
  std::shared_ptr<const model::Rbac> rules, shadow_rules;  // null: none
  std::string stat_prefix;                                 // "NAME.rbac."
  std::string shadow_prefix;                               // before the keys of what the shadow rules say
  bool each_time = false;                                  // CONTINUOUS: at all bytes, not only the first
  Duration delay{0};                                       // before a denied connection is closed
};

// Immutable, shared by all workers. Thread: any.
class NetworkRbac final : public proxy::NetworkFilterFactory {
 public:
  explicit NetworkRbac(std::shared_ptr<const Settings> settings) : settings_(std::move(settings)) {}
  std::unique_ptr<proxy::NetworkFilterMaker> on_worker(const proxy::ProxyLocal& proxy,
                                                       const proxy::ListenerFacts& listener) const override;

 private:
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::network_rbac
