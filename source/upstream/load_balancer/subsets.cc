#include "upstream/load_balancer/subsets.h"

#include <algorithm>
#include <map>

namespace sluice::upstream {
namespace {

const model::LbLabel* find(const model::LbLabelsPtr& labels, const std::string& key) {
  if (labels == nullptr) return nullptr;
  const auto found = std::find_if(labels->begin(), labels->end(), [&](const auto& label) { return label.key == key; });
  return found == labels->end() ? nullptr : &*found;
}

// The subsets of a selector that an endpoint is in: more than one when a value is a list and each element counts.
void append_ids(const model::SubsetSelector& selector, const model::LbLabelsPtr& labels, bool list_as_any,
                std::vector<std::string>& out) {
  std::vector<std::string> ids{""};
  for (const std::string& key : selector.keys) {
    const model::LbLabel* label = find(labels, key);
    if (label == nullptr) return;
    const bool any = list_as_any && !label->elements.empty();
    std::vector<std::string> next;
    for (const std::string& id : ids) {
      for (size_t i = 0; i < (any ? label->elements.size() : 1); ++i) {
        std::string& longer = next.emplace_back(id);
        model::append_id(longer, key);
        model::append_id(longer, any ? label->elements[i] : label->value);
      }
    }
    ids = std::move(next);
  }
  out.insert(out.end(), ids.begin(), ids.end());
}

bool is_in(const std::vector<std::pair<std::string, std::string>>& wanted, const model::LbLabelsPtr& labels,
           bool list_as_any) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    const model::LbLabel* label = find(labels, one.first);
    if (label == nullptr) return false;
    return label->value == one.second || (list_as_any && std::find(label->elements.begin(), label->elements.end(),
                                                                   one.second) != label->elements.end());
  });
}

}  // namespace

std::shared_ptr<const Subsets> build_subsets(const model::SubsetPlan& plan, const model::LbPlan& lb,
                                             const HostSet& whole) {
  auto out = std::make_shared<Subsets>();
  std::map<std::string, std::vector<bool>> members;
  std::vector<bool> in_default(whole.hosts.size());
  bool any_default = false;
  size_t at = 0;
  for (const model::LocalityPlan& locality : whole.assignment->localities) {
    for (const model::EndpointPlan& endpoint : locality.endpoints) {
      for (const model::SubsetSelector& selector : plan.selectors) {
        std::vector<std::string> ids;
        append_ids(selector, endpoint.extra->labels, plan.list_as_any, ids);
        for (const std::string& id : ids) {
          std::vector<bool>& subset = members[id];
          subset.resize(whole.hosts.size());
          if (selector.single_host && std::find(subset.begin(), subset.end(), true) != subset.end()) {
            ++out->duplicates;
            continue;
          }
          subset[at] = true;
        }
      }
      in_default[at] = is_in(plan.default_subset, endpoint.extra->labels, plan.list_as_any);
      any_default |= in_default[at];
      ++at;
    }
  }
  model::LbPlan rules = lb;
  rules.locality_weighted = lb.locality_weighted && plan.locality_weight_aware;
  for (const auto& [id, subset] : members) out->by_id[id] = build_host_subset(rules, whole, subset);
  if (any_default) out->default_subset = build_host_subset(rules, whole, in_default);
  return out;
}

}  // namespace sluice::upstream
