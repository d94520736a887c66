// Subsets of a cluster's endpoints by their metadata (lb_subset_config).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/subsets
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::model {

// One entry of the metadata envoy.lb of an endpoint. Values are compared as texts that say their type too.
struct LbLabel {
  std::string key;
  std::string value;
  std::vector<std::string> elements;  // of a list, for list_as_any
};
using LbLabels = std::vector<LbLabel>;  // sorted by key
using LbLabelsPtr = std::shared_ptr<const LbLabels>;

// What a route wants of an endpoint (metadata_match): all of these. Immutable. Thread: any.
struct LbMatch {
  std::vector<std::pair<std::string, std::string>> labels;  // key and value, sorted by key
  std::string id;                                           // of the subset: subset_id(labels)
  std::string keys;                                         // of its selector: keys_id()
  // With the label fallback_list: what is wanted in its place, in this order; empty: there is no such label.
  std::vector<std::shared_ptr<const LbMatch>> fallbacks;
};
using LbMatchPtr = std::shared_ptr<const LbMatch>;

// Names a subset, and the keys of a selector, in one text each.
inline void append_id(std::string& id, const std::string& part) {
  id += part;
  id.push_back('\0');
}
LbMatchPtr make_match(std::vector<std::pair<std::string, std::string>> labels);

enum class SubsetFallback : uint8_t { kNotDefined, kNone, kAnyEndpoint, kDefaultSubset, kKeysSubset };

struct SubsetSelector {
  std::vector<std::string> keys;  // sorted
  std::string keys_id;
  SubsetFallback fallback = SubsetFallback::kNotDefined;
  std::vector<std::string> fallback_keys;
  bool single_host = false;  // single_host_per_subset
};

// Immutable. Thread: any.
struct SubsetPlan {
  SubsetFallback fallback = SubsetFallback::kNone;
  std::vector<std::pair<std::string, std::string>> default_subset;
  std::vector<SubsetSelector> selectors;
  bool list_as_any = false;
  bool fallback_list = false;  // metadata_fallback_policy: LbMatch::fallbacks count
  bool panic_mode_any = false;
  bool locality_weight_aware = false;
  bool scale_locality_weight = false;  // ... by the share of the locality that is in the subset
};

}  // namespace sluice::model
