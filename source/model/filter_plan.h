// FilterPlan: the compiled configuration of one HTTP filter, as the chain and the route table hold it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/origin.h"

namespace sluice::model {

// What a filter compiled from its configuration, or from a per-route override: an opaque base, so that the model does
// not know the filters. Immutable, shared by all workers. Thread: any.
class FilterConfig {
 public:
  virtual ~FilterConfig() = default;
};

// One line of http_filters. Immutable. Thread: any.
struct FilterPlan {
  std::string name;
  std::shared_ptr<const FilterConfig> config;
  bool disabled = false;  // off unless a route switches it on
  Origin origin;
};

// An entry of typed_per_filter_config, by the filter's name.
struct FilterOverride {
  std::string filter_name;
  std::shared_ptr<const FilterConfig> config;  // null: only `disabled` matters
  bool disabled = false;
  Origin origin;
};
using FilterOverrides = std::vector<FilterOverride>;

}  // namespace sluice::model
