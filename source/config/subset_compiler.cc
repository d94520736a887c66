#include "config/subset_compiler.h"

#include <algorithm>
#include <map>

#include "base/strings.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::Metadata;
using Subsets = Cluster::LbSubsetConfig;
using ProtoValue = google::protobuf::Value;

// Equal texts are equal values.
std::string value_text(const ProtoValue& value) {
  switch (value.kind_case()) {
    case ProtoValue::kStringValue:
      return cat("s", value.string_value());
    case ProtoValue::kNumberValue:
      return cat("n", std::to_string(value.number_value()));
    case ProtoValue::kBoolValue:
      return value.bool_value() ? "b1" : "b0";
    case ProtoValue::kListValue: {
      std::string out = "[";
      for (const ProtoValue& one : value.list_value().values())
        append(out, value_text(one).size(), ":", value_text(one));
      return out;
    }
    case ProtoValue::kStructValue: {
      const auto& fields = value.struct_value().fields();
      const std::map<std::string, ProtoValue> sorted(fields.begin(), fields.end());
      std::string out = "{";
      for (const auto& [key, one] : sorted)
        append(out, key.size(), ":", key, value_text(one).size(), ":", value_text(one));
      return out;
    }
    default:
      return "0";
  }
}

const google::protobuf::Struct* lb_of(const Metadata& metadata) {
  const auto found = metadata.filter_metadata().find("envoy.lb");
  return found == metadata.filter_metadata().end() ? nullptr : &found->second;
}

model::LbMatchPtr match_of(const std::map<std::string, const ProtoValue*>& labels) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [key, value] : labels) texts.emplace_back(key, value_text(*value));
  return model::make_match(std::move(texts));
}

model::SubsetFallback compile_fallback(Subsets::LbSubsetSelector::LbSubsetSelectorFallbackPolicy policy) {
  switch (policy) {
    case Subsets::LbSubsetSelector::NO_FALLBACK:
      return model::SubsetFallback::kNone;
    case Subsets::LbSubsetSelector::ANY_ENDPOINT:
      return model::SubsetFallback::kAnyEndpoint;
    case Subsets::LbSubsetSelector::DEFAULT_SUBSET:
      return model::SubsetFallback::kDefaultSubset;
    case Subsets::LbSubsetSelector::KEYS_SUBSET:
      return model::SubsetFallback::kKeysSubset;
    default:
      return model::SubsetFallback::kNotDefined;
  }
}

// A shorter selector whose keys begin an earlier one has no fallback of its own, as in Envoy.
bool is_hidden(const model::SubsetSelector& selector, const std::vector<model::SubsetSelector>& before) {
  return std::any_of(before.begin(), before.end(), [&](const model::SubsetSelector& other) {
    return other.keys.size() >= selector.keys.size() &&
           std::equal(selector.keys.begin(), selector.keys.end(), other.keys.begin());
  });
}

model::SubsetSelector compile_selector(const Subsets::LbSubsetSelector& proto, CompileScope& scope) {
  using S = Subsets::LbSubsetSelector;
  scope.only(proto, {S::kKeysFieldNumber, S::kFallbackPolicyFieldNumber, S::kFallbackKeysSubsetFieldNumber,
                     S::kSingleHostPerSubsetFieldNumber});
  model::SubsetSelector out;
  out.keys.assign(proto.keys().begin(), proto.keys().end());
  std::sort(out.keys.begin(), out.keys.end());
  out.keys.erase(std::unique(out.keys.begin(), out.keys.end()), out.keys.end());
  for (const std::string& key : out.keys) model::append_id(out.keys_id, key);
  out.fallback = compile_fallback(proto.fallback_policy());
  out.fallback_keys.assign(proto.fallback_keys_subset().begin(), proto.fallback_keys_subset().end());
  out.single_host = proto.single_host_per_subset();
  if (out.fallback == model::SubsetFallback::kKeysSubset) {
    if (out.fallback_keys.empty()) {
      scope.error(proto, S::kFallbackPolicyFieldNumber, "KEYS_SUBSET needs fallback_keys_subset");
    }
    for (const std::string& key : out.fallback_keys) {
      if (std::find(out.keys.begin(), out.keys.end(), key) == out.keys.end()) {
        scope.error(proto, S::kFallbackKeysSubsetFieldNumber, cat("'", key, "' is none of the keys"));
      }
    }
    if (out.fallback_keys.size() >= out.keys.size()) {
      scope.error(proto, S::kFallbackKeysSubsetFieldNumber, "must leave at least one of the keys out");
    }
  } else if (!out.fallback_keys.empty()) {
    scope.error(proto, S::kFallbackKeysSubsetFieldNumber, "is for the fallback_policy KEYS_SUBSET only");
  }
  return out;
}

}  // namespace

std::shared_ptr<const model::SubsetPlan> compile_subsets(const Cluster& cluster, CompileScope& scope) {
  if (!cluster.has_lb_subset_config()) return nullptr;
  const Subsets& proto = cluster.lb_subset_config();
  if (cluster.has_load_balancing_policy()) {
    scope.error(cluster, Cluster::kLbSubsetConfigFieldNumber, "cannot stand beside load_balancing_policy");
  }
  if (proto.locality_weight_aware() && !cluster.common_lb_config().has_locality_weighted_lb_config()) {
    scope.error(proto, Subsets::kLocalityWeightAwareFieldNumber, "needs common_lb_config.locality_weighted_lb_config");
  }
  scope.only(proto, {Subsets::kFallbackPolicyFieldNumber, Subsets::kDefaultSubsetFieldNumber,
                     Subsets::kSubsetSelectorsFieldNumber, Subsets::kListAsAnyFieldNumber,
                     Subsets::kPanicModeAnyFieldNumber, Subsets::kLocalityWeightAwareFieldNumber,
                     Subsets::kScaleLocalityWeightFieldNumber, Subsets::kMetadataFallbackPolicyFieldNumber});
  // Without selectors it is as if it were not there.
  if (proto.subset_selectors().empty()) return nullptr;
  auto out = std::make_shared<model::SubsetPlan>();
  switch (proto.fallback_policy()) {
    case Subsets::ANY_ENDPOINT:
      out->fallback = model::SubsetFallback::kAnyEndpoint;
      break;
    case Subsets::DEFAULT_SUBSET:
      out->fallback = model::SubsetFallback::kDefaultSubset;
      break;
    default:
      break;
  }
  for (const auto& [key, value] : proto.default_subset().fields())
    out->default_subset.emplace_back(key, value_text(value));
  for (const auto& selector : proto.subset_selectors()) {
    model::SubsetSelector one = compile_selector(selector, scope);
    if (is_hidden(one, out->selectors)) one.fallback = model::SubsetFallback::kNotDefined;
    out->selectors.push_back(std::move(one));
  }
  out->list_as_any = proto.list_as_any();
  out->fallback_list = proto.metadata_fallback_policy() == Subsets::FALLBACK_LIST;
  out->panic_mode_any = proto.panic_mode_any();
  out->locality_weight_aware = proto.locality_weight_aware();
  out->scale_locality_weight = proto.scale_locality_weight();
  return out;
}

model::LbLabelsPtr compile_labels(const Metadata& metadata) {
  const google::protobuf::Struct* lb = lb_of(metadata);
  if (lb == nullptr || lb->fields().empty()) return nullptr;
  auto out = std::make_shared<model::LbLabels>();
  for (const auto& [key, value] : lb->fields()) {
    model::LbLabel& label = out->emplace_back();
    label.key = key;
    label.value = value_text(value);
    for (const ProtoValue& one : value.list_value().values()) label.elements.push_back(value_text(one));
  }
  std::sort(out->begin(), out->end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return out;
}

model::LbMatchPtr compile_match(const Metadata& metadata, const Metadata* more) {
  std::map<std::string, const ProtoValue*> merged;
  for (const Metadata* one : {&metadata, more}) {
    const google::protobuf::Struct* lb = one == nullptr ? nullptr : lb_of(*one);
    if (lb == nullptr) continue;
    for (const auto& [key, value] : lb->fields()) merged[key] = &value;
  }
  const model::LbMatchPtr match = match_of(merged);
  const auto list = merged.find("fallback_list");
  if (list == merged.end()) return match;
  auto out = std::make_shared<model::LbMatch>(*match);
  const auto& fallbacks = list->second->list_value().values();
  merged.erase(list);
  if (fallbacks.empty()) out->fallbacks.push_back(match_of(merged));
  for (const ProtoValue& one : fallbacks) {
    auto wanted = merged;
    for (const auto& [key, value] : one.struct_value().fields()) wanted[key] = &value;
    out->fallbacks.push_back(match_of(wanted));
  }
  return out;
}

}  // namespace sluice::config
