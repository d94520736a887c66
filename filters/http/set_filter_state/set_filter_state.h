// set_filter_state: leaves objects, made by formats, in the filter state.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/set_filter_state
#pragma once

#include <string>
#include <vector>

#include "format/filter_state_value.h"
#include "proxy/filter.h"

namespace sluice::filters::set_filter_state {

// Thread: any (immutable).
class Objects final : public model::FilterConfig {
 public:
  std::vector<format::FilterStateValue> values;
  bool reroutes = false;  // clear_route_cache: the route is chosen again, by what now is there
};

// Thread: any (immutable).
class SetFilterStateFactory final : public proxy::HttpFilterFactory {
 public:
  SetFilterStateFactory(std::string_view name, std::shared_ptr<const Objects> objects)
      : name_(name), objects_(std::move(objects)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;
  const Objects& own() const { return *objects_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::shared_ptr<const Objects> objects_;
};

}  // namespace sluice::filters::set_filter_state
