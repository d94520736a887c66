// DiscoveredFilter: the place of an HTTP filter in a chain whose configuration comes while the process runs, and is
// replaced there.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/overview/extension
#pragma once

#include <memory>
#include <utility>

#include "model/discovered.h"
#include "proxy/filter.h"

namespace sluice::proxy {

// An exchange keeps the configuration that it began with; without one it gets a 500 (no_filter_config_found).
// Immutable, shared by all workers. Thread: any.
class DiscoveredFilter final : public HttpFilterFactory {
 public:
  explicit DiscoveredFilter(std::shared_ptr<const model::FilterSlot> slot) : slot_(std::move(slot)) {}
  std::unique_ptr<FilterLocal> on_worker(const FilterPlace& place) const override;
  HttpFilter* create(Exchange& exchange, FilterLocal* local) const override;
  // Whatever the filter overrides: what it does not, passes on.
  uint8_t hooks() const override { return 0x7f; }

 private:
  const std::shared_ptr<const model::FilterSlot> slot_;
};

}  // namespace sluice::proxy
